/// A recursive-descent parser; `deepest` bounds the recursion.
struct JSONParser {
  static let deepest = 64

  let bytes: [UInt8]
  var position = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The byte at `position`, or NUL at the end: NUL is never valid where this is read.
  var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

  mutating func document() throws(JSONError) -> JSON {
    skipSpace()
    let value = try value(depth: 0)
    skipSpace()
    guard position == bytes.count else { throw failure("unexpected text after the value") }
    return value
  }

  func failure(_ reason: String) -> JSONError {
    JSONError(
      offset: position, reason: position < bytes.count ? reason : "unexpected end of the document")
  }
}

extension JSONParser {
  private mutating func value(depth: Int) throws(JSONError) -> JSON {
    switch current {
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
    case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    default: throw failure("expected a value")
    }
  }

  private mutating func object(depth: Int) throws(JSONError) -> [String: JSON] {
    try open(depth: depth)
    if skip(UInt8(ascii: "}")) { return [:] }
    // Most objects have a few members: this spares them growing twice.
    var members = [String: JSON](minimumCapacity: 3)
    repeat {
      skipSpace()
      let start = position
      guard current == UInt8(ascii: "\"") else { throw failure("expected a key") }
      let key = try string()
      skipSpace()
      guard skip(UInt8(ascii: ":")) else { throw failure("expected a colon") }
      skipSpace()
      if members.updateValue(try value(depth: depth), forKey: key) != nil {
        throw JSONError(offset: start, reason: "repeated key")
      }
      skipSpace()
    } while skip(UInt8(ascii: ","))
    guard skip(UInt8(ascii: "}")) else { throw failure("expected a comma or a closing brace") }
    return members
  }

  private mutating func array(depth: Int) throws(JSONError) -> [JSON] {
    var elements: [JSON] = []
    try open(depth: depth)
    if skip(UInt8(ascii: "]")) { return elements }
    repeat {
      skipSpace()
      elements.append(try value(depth: depth))
      skipSpace()
    } while skip(UInt8(ascii: ","))
    guard skip(UInt8(ascii: "]")) else { throw failure("expected a comma or a closing bracket") }
    return elements
  }

  private mutating func open(depth: Int) throws(JSONError) {
    guard depth <= Self.deepest else { throw failure("nested too deeply") }
    position += 1
    skipSpace()
  }

  private mutating func literal(_ text: String, _ value: JSON) throws(JSONError) -> JSON {
    let end = position + text.utf8.count
    guard end <= bytes.count, bytes[position..<end].elementsEqual(text.utf8) else {
      throw failure("expected a value")
    }
    position = end
    return value
  }

  private mutating func skip(_ byte: UInt8) -> Bool {
    guard current == byte else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }
}
