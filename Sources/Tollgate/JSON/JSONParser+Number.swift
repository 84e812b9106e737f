extension JSONParser {
  mutating func number() throws(JSONError) -> JSON {
    let start = position
    if current == UInt8(ascii: "-") { position += 1 }
    try integerPart()
    let hasFraction = try skipFraction()
    let hasExponent = try skipExponent()
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    // "-0" is a number but not a quantity: an integer must be what it looks like.
    let isPlain = !hasFraction && !hasExponent && text != "-0"
    return if isPlain, let integer = Int64(text) { .integer(integer) } else { .number(text) }
  }

  private mutating func integerPart() throws(JSONError) {
    let hasLeadingZero = current == UInt8(ascii: "0")
    let count = try digits()
    if hasLeadingZero && count > 1 { throw failure("a number must not start with zero") }
  }

  private mutating func skipFraction() throws(JSONError) -> Bool {
    guard current == UInt8(ascii: ".") else { return false }
    position += 1
    try digits()
    return true
  }

  private mutating func skipExponent() throws(JSONError) -> Bool {
    guard current | 0x20 == UInt8(ascii: "e") else { return false }
    position += 1
    if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
    try digits()
    return true
  }

  @discardableResult
  private mutating func digits() throws(JSONError) -> Int {
    let start = position
    while UInt8(ascii: "0")...UInt8(ascii: "9") ~= current { position += 1 }
    guard position > start else { throw failure("expected a digit") }
    return position - start
  }
}
