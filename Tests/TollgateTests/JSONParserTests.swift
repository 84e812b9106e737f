import Testing

@testable import Tollgate

@Suite struct JSONParserTests {
  @Test(arguments: [
    ("null", JSON.null), (" true ", .bool(true)), ("false\n", .bool(false)),
    ("0", .integer(0)), ("-1", .integer(-1)), ("9223372036854775807", .integer(.max)),
    ("-9223372036854775808", .integer(.min)),
    (#""""#, .string("")), (#""a\"\\\/\b\f\n\r\t""#, .string("a\"\\/\u{8}\u{C}\n\r\t")),
    (#""\u00e9\u0000""#, .string("\u{E9}\0")), (#""\ud83d\uDE00""#, .string("😀")),
    ("\"é😀\u{7F}\"", .string("é😀\u{7F}")),
    ("[]", .array([])), ("[ 1 , [ ] ]", .array([.integer(1), .array([])])),
    ("{}", .object([:])), (#"{"a":{"":null}}"#, .object(["a": .object(["": .null])])),
    ("\t\r\n [1]", .array([.integer(1)])),
  ])
  func acceptsEveryValidForm(text: String, expected: JSON) throws {
    #expect(try json(text) == expected)
  }

  @Test(arguments: [
    "-0", "1.0", "0.1", "1e3", "1E+3", "1e-3", "1e400", "-1.5e9", "9223372036854775808",
    "-9223372036854775809", String(repeating: "9", count: 10_000),
    "0." + String(repeating: "0", count: 10_000) + "1",
  ])
  func keepsTheSourceOfNumbersThatAreNotPlainIntegers(text: String) throws {
    #expect(try json(text) == .number(text))
    #expect(try json("[\(text)]") == .array([.number(text)]))
  }

  @Test(arguments: [
    ("", 0), (" ", 1), ("nul", 0), ("nulL", 0), ("True", 0), ("NaN", 0), ("Infinity", 0),
    ("01", 2), ("-01", 3), ("-", 1), ("+1", 0), (".5", 0), ("1.", 2), ("1e", 2), ("1e+", 3),
    ("0x10", 1), ("1 2", 2), ("1,", 1),
    ("[", 1), ("[1", 2), ("[1,", 3), ("[1,]", 3), ("[,1]", 1), ("[1 2]", 3), ("]", 0),
    ("{", 1), ("{a:1}", 1), (#"{"a"}"#, 4), (#"{"a":}"#, 5), (#"{"a":1,}"#, 7),
    (#"{"a":1 "b":2}"#, 7), (#"{1:2}"#, 1), ("{'a':1}", 1),
    (#"""#, 1), (#""a"#, 2), ("\"a\nb\"", 2), ("\"\u{1F}\"", 1), ("\"\0\"", 1),
    (#""\x""#, 2), (#""\"#, 2), (#""\u12"#, 5), (#""\u12g4""#, 5), (#""\u+123""#, 3),
    (#""\ud800""#, 7), (#""\udc00""#, 3), (#""\ud800\u0041""#, 7), (#""\ud800\ud800""#, 7),
    ("\u{FEFF}1", 0), ("1\0", 1), ("// a\n1", 0), (#"{"a":1,"b":2,"a":3}"#, 13),
    (#"{"a":1,"\u0061":3}"#, 7),
  ])
  func refusesWithThePlace(text: String, offset: Int) {
    let error = #expect(throws: JSONError.self) { try json(text) }
    #expect(error?.offset == offset)
  }

  @Test(
    arguments: [
      [0x80], [0xC3], [0xC0, 0xAF], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
      [0xFF], [0xFE, 0xFF],
    ] as [[UInt8]])
  func refusesBadUTF8(bytes: [UInt8]) {
    let quote = UInt8(ascii: "\"")
    #expect(throws: JSONError.self) { try JSON(parsing: [quote] + bytes + [quote]) }
    #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
    #expect(throws: JSONError.self) {
      try JSON(parsing: Array(#"{"\n"#.utf8) + bytes + Array(#"":1}"#.utf8))
    }
  }

  @Test func nestsAtMost64Levels() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try json(nested(64))
    #expect(throws: JSONError(offset: 64, reason: "nested too deeply")) { try json(nested(65)) }
    #expect(throws: JSONError.self) { try json(String(repeating: "[", count: 1_000_000)) }
    #expect(throws: JSONError.self) { try json(String(repeating: #"{"a":"#, count: 200_000)) }
  }

  @Test func describesAnErrorWithoutRepeatingTheInput() {
    let error = #expect(throws: JSONError.self) { try json(#"{"secret":1,"secret":2}"#) }
    #expect(error?.description == "invalid JSON at byte 12: repeated key")
  }
}

@Suite struct JSONFuzzTests {
  private static let seeds = [
    #"{"transcript":{"messages":[{"id":"m1","text":"deploy's \u00e9 \ud83d\ude00 \n"},{}]}}"#,
    #"[null,true,false,-0,1.0,1e400,9223372036854775808,"é😀",[[]],{"a":{"b":[0]}}]"#,
  ]

  @Test(arguments: 0..<20)
  func neverTrapsAndWhatParsesRoundTrips(seed: UInt64) throws {
    var random = SeededRandom(state: seed)
    for _ in 0..<2_000 {
      let bytes = Self.mutated(&random)
      guard let value = try? JSON(parsing: bytes) else { continue }
      let canonical = value.canonicalBytes
      let again = try JSON(parsing: canonical)
      #expect(again == value)
      #expect(again.canonicalBytes == canonical)
    }
  }

  private static func mutated(_ random: inout SeededRandom) -> [UInt8] {
    var bytes = Array(seeds[Int.random(in: 0..<seeds.count, using: &random)].utf8)
    for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
      let index = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes.remove(at: index)
      case 2: bytes.insert(Array(#"[]{}",:\-0e.u"#.utf8).randomElement(using: &random)!, at: index)
      default: bytes.removeSubrange(index...)
      }
    }
    return bytes
  }
}
