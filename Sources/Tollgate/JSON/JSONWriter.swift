/// A value that writes itself as JSON.
public protocol JSONWritable {
  func write(to writer: inout JSONWriter)
}

/// Writes JSON straight into bytes, without a tree in between.
///
///     var writer = JSONWriter()
///     writer.object {
///       $0.field("price", quote.price)
///       $0.array("lines") { for line in quote.lines { $0.value(line.component) } }
///     }
///
/// The caller keeps the grammar: fields inside objects, values inside arrays.
public struct JSONWriter {
  public private(set) var bytes: [UInt8] = []
  private var needsComma = false

  public init() {}
}

extension JSONWriter {
  public mutating func value(_ value: (some JSONWritable)?) {
    separate()
    if let value { value.write(to: &self) } else { raw("null") }
    needsComma = true
  }

  public mutating func field(_ name: String, _ value: (some JSONWritable)?) {
    key(name)
    self.value(value)
  }

  public mutating func object<E>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
    try nest(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
  }

  public mutating func array<E>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
    try nest(UInt8(ascii: "["), UInt8(ascii: "]"), body)
  }

  public mutating func object<E>(
    _ name: String, _ body: (inout JSONWriter) throws(E) -> Void
  ) throws(E) {
    key(name)
    try object(body)
  }

  public mutating func array<E>(
    _ name: String, _ body: (inout JSONWriter) throws(E) -> Void
  ) throws(E) {
    key(name)
    try array(body)
  }

  /// Appends text that is already JSON, and nothing around it: for `JSONWritable.write(to:)`.
  public mutating func raw(_ text: some StringProtocol) {
    bytes.append(contentsOf: text.utf8)
  }

  /// The same for text in UTF-8.
  public mutating func raw(bytes: [UInt8]) { self.bytes += bytes }
}

extension JSONWriter {
  private mutating func nest<E>(
    _ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) throws(E) -> Void
  ) throws(E) {
    separate()
    bytes.append(open)
    try body(&self)
    bytes.append(close)
    needsComma = true
  }

  private mutating func key(_ name: String) {
    separate()
    quoted(name)
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = false
  }

  fileprivate mutating func quoted(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    let start = bytes.count
    bytes.append(contentsOf: text.utf8)
    // Hardly any text needs escapes, and bytes in an array are looked through the fastest.
    if bytes[start...].contains(where: Self.mustEscape) {
      bytes.removeSubrange(start...)
      for byte in text.utf8 { escaped(byte) }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private static func mustEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  private mutating func escaped(_ byte: UInt8) {
    guard Self.mustEscape(byte) else { return bytes.append(byte) }
    switch byte {
    case 0x0A: raw("\\n")
    case 0x0D: raw("\\r")
    case 0x09: raw("\\t")
    case UInt8(ascii: "\""): raw("\\\"")
    case UInt8(ascii: "\\"): raw("\\\\")
    default:
      raw(byte < 0x10 ? "\\u000" : "\\u00")
      raw(String(byte, radix: 16))
    }
  }
}

extension Bool: JSONWritable {
  public func write(to writer: inout JSONWriter) { writer.raw(self ? "true" : "false") }
}

extension Int64: JSONWritable {
  public func write(to writer: inout JSONWriter) { writer.raw(String(self)) }
}

extension Int: JSONWritable {
  public func write(to writer: inout JSONWriter) { writer.raw(String(self)) }
}

extension String: JSONWritable {
  public func write(to writer: inout JSONWriter) { writer.quoted(self) }
}
