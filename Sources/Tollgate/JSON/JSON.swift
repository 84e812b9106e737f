/// A JSON value that keeps numbers exact.
///
/// Prices are whole numbers, so a number is an `integer` only when it is written as one and fits
/// 64 bits. Everything else (`1.0`, `1e3`, `-0`, 2^63) stays a `number` with its source text: valid
/// JSON, but never a quantity or a price.
public enum JSON: Sendable, Hashable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(String)
  case string(String)
  case array([JSON])
  case object([String: JSON])
}

extension JSON {
  /// Parses one complete document by RFC 8259, strictly: UTF-8 only, nothing before or after the
  /// value but white space, at most 64 levels deep. Repeated keys are refused, because two readers
  /// could price them differently.
  public init(parsing bytes: some Collection<UInt8>) throws(JSONError) {
    var parser = JSONParser(Array(bytes))
    self = try parser.document()
  }

  /// The member `key` of an object; nil when it is absent or this is not an object.
  public subscript(key: String) -> JSON? {
    if case .object(let members) = self { members[key] } else { nil }
  }

  /// The one spelling of this value: keys sorted, no white space. Meant for fingerprints.
  public var canonicalBytes: [UInt8] {
    var writer = JSONWriter()
    writer.value(self)
    return writer.bytes
  }
}

extension JSON: JSONWritable {
  public func write(to writer: inout JSONWriter) {
    switch self {
    case .null: writer.raw("null")
    case .bool(let bool): bool.write(to: &writer)
    case .integer(let integer): integer.write(to: &writer)
    case .number(let text): writer.raw(text)
    case .string(let string): string.write(to: &writer)
    case .array(let elements):
      writer.array { for element in elements { $0.value(element) } }
    case .object(let members):
      writer.object {
        for (name, value) in members.sorted(by: { $0.key < $1.key }) { $0.field(name, value) }
      }
    }
  }
}
