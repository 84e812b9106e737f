import Testing

@testable import Tollgate

@Suite struct MeasureTests {
  private func measured(_ quantity: String, _ input: String) throws -> Quantities.Value? {
    let book = try oneOperationBook(#"{"quantities": {"q": \#(quantity)}, "lines": []}"#)
    return try book.quote("op", input: json(input)).quantities.values["q"]
  }

  @Test(arguments: [
    (#"{"from": ["t"], "measure": "characters"}"#, #"{"t": "é😀e\u0301\r\n"}"#, 6),
    (#"{"from": ["t"], "measure": "bytes"}"#, #"{"t": "é😀e\u0301\r\n"}"#, 11),
    (#"{"from": ["t"], "measure": "bytes"}"#, #"{"t": null}"#, 0),
    (#"{"from": ["t", "u"], "measure": "characters"}"#, #"{"t": "ab", "u": "c"}"#, 3),
    (#"{"from": ["a.b[*].c"], "measure": "characters"}"#, #"{"a": {"b": [{"c": "xy"}, {}]}}"#, 2),
    (#"{"from": ["a[*][*]"], "measure": "elements"}"#, #"{"a": [[1, "x"], [], [{}, null]]}"#, 3),
    (#"{"from": ["[*].t"], "measure": "characters"}"#, #"[{"t": "ab"}, null]"#, 2),
    (#"{"from": ["a"], "measure": "elements"}"#, "{}", 0),
    (#"{"from": ["n"], "measure": "integer"}"#, #"{"n": 9223372036854775807}"#, .max),
    (#"{"from": ["n[*]"], "measure": "integer"}"#, #"{"n": [1, 2, null]}"#, 3),
    (#"{"from": ["n"], "measure": "integer", "default": 4}"#, #"{"n": null}"#, 4),
  ])
  func aQuantityIsMeasuredByItsPaths(quantity: String, input: String, expected: Int64) throws {
    #expect(try measured(quantity, input) == .integer(expected))
  }

  @Test(arguments: [
    "1.0", "\"1\"", "-0", "1e3", "9223372036854775808", "1e400", "true", "[]", "{}",
    String(repeating: "9", count: 10_000),
  ])
  func anIntegerMustBeWrittenPlainly(value: String) throws {
    let error = #expect(throws: PricingError.self) {
      try measured(#"{"from": ["n"], "measure": "integer"}"#, #"{"n": \#(value)}"#)
    }
    #expect(
      error?.description
        == "input.n: must be a whole number from 0 to 9223372036854775807, written plainly")
  }

  @Test(arguments: [
    (#"{"from": ["n"], "measure": "integer"}"#, "{}", "input.n: missing"),
    (#"{"from": ["n"], "measure": "integer"}"#, #"{"n": -1}"#, "input.n: must not be negative"),
    (
      #"{"from": ["n"], "measure": "integer", "minimum": 2}"#, #"{"n": 1}"#,
      "input.n: must be at least 2"
    ),
    (
      #"{"from": ["n"], "measure": "integer", "maximum": 2}"#, #"{"n": 3}"#,
      "input.n: must be at most 2"
    ),
    (
      #"{"from": ["t"], "measure": "characters", "maximum": 2}"#, #"{"t": "abc"}"#,
      "input.t: must be at most 2"
    ),
    (
      #"{"from": ["t"], "measure": "characters", "minimum": 1}"#, "{}",
      "input.t: must be at least 1"
    ),
    (
      #"{"from": ["n[*]"], "measure": "integer"}"#, #"{"n": [9223372036854775807, 1]}"#,
      "input.n[1]: quantity too large"
    ),
    (
      #"{"from": ["m[*].t"], "measure": "characters"}"#, #"{"m": [{"t": "a"}, {"t": 5}]}"#,
      "input.m[1].t: must be a string"
    ),
    (
      #"{"from": ["m[*].t"], "measure": "bytes"}"#, #"{"m": {"t": "a"}}"#,
      "input.m: must be an array"
    ),
    (
      #"{"from": ["m[*].t"], "measure": "bytes"}"#, #"{"m": ["a"]}"#,
      "input.m[0]: must be an object"
    ),
    (
      #"{"from": ["a[*].b[*]"], "measure": "bytes"}"#,
      #"{"a": [{"b": ["x", "y"]}, {"b": ["z", 1]}]}"#,
      "input.a[1].b[1]: must be a string"
    ),
    (#"{"from": ["t"], "measure": "characters"}"#, "[]", "input: must be an object"),
    (
      #"{"from": ["g"], "measure": "choice", "choices": ["a", "b"]}"#, #"{"g": "secret"}"#,
      "input.g: must be one of a, b"
    ),
    (
      #"{"from": ["g"], "measure": "choice", "choices": ["a"]}"#, #"{"g": 1}"#,
      "input.g: must be a string"
    ),
    (#"{"from": ["g"], "measure": "choice", "choices": ["a"]}"#, "{}", "input.g: missing"),
    (#"{"measure": "integer"}"#, #"{"q": 1}"#, "quantities.q: missing"),
  ])
  func aBadInputIsRefusedWithItsField(quantity: String, input: String, expected: String) throws {
    let error = #expect(throws: PricingError.self) { try measured(quantity, input) }
    #expect(error?.description == expected)
  }

  private static let quantities = #"""
    {"quantities": {
       "chars": {"from": ["t"], "measure": "characters", "maximum": 50},
       "g": {"from": ["g"], "measure": "choice", "choices": ["a", "b"], "default": "a"}},
     "lines": [{"component": "c", "rates": [{"of": ["chars"], "credits": 2}],
                "factors": [{"by": "g", "values": {"a": 1, "b": 10}}]}]}
    """#

  @Test func aGivenQuantityGoesBeforeTheMeasuredOne() throws {
    let book = try oneOperationBook(Self.quantities)
    let input = try json(#"{"t": "abc", "g": "b"}"#)
    #expect(try book.quote("op", input: input).price == 60)
    #expect(try book.quote("op", input: input, quantities: ["chars": .integer(1)]).price == 20)
    #expect(try book.quote("op", input: nil, quantities: ["chars": .integer(1)]).price == 2)
  }

  @Test(
    arguments: [
      (["chars": .integer(51)], "quantities.chars: must be at most 50"),
      (["chars": .integer(-1)], "quantities.chars: must not be negative"),
      (
        ["chars": .number("1.0")],
        "quantities.chars: must be a whole number from 0 to 9223372036854775807, written plainly"
      ),
      (["chars": .integer(1), "g": .string("z")], "quantities.g: must be one of a, b"),
      (["chars": .integer(1), "g": .null], "quantities.g: must be a string"),
      (["chars": .integer(1), "tokens": .integer(1)], "quantities.tokens: unknown quantity"),
      (["chars": .integer(1), "<b>": .integer(1)], "quantities: unknown quantity"),
      ([:], "quantities.chars: missing"),
    ] as [([String: JSON], String)])
  func aBadGivenQuantityIsRefused(given: [String: JSON], expected: String) throws {
    let book = try oneOperationBook(Self.quantities)
    for input in [nil, JSON.null] {
      let error = #expect(throws: PricingError.self) {
        try book.quote("op", input: input, quantities: given)
      }
      #expect(error?.description == expected)
    }
  }

  @Test func storedQuantitiesAreReplacedInPart() throws {
    let book = try oneOperationBook(Self.quantities)
    let quote = try book.quote("op", input: json(#"{"t": "abc", "g": "b"}"#))
    let stored = try #require(Quantities(json: JSON(parsing: quote.quantities.json.canonicalBytes)))
    #expect(stored == quote.quantities)
    #expect(try book.quote("op", replacing: stored, with: [:]) == quote)
    #expect(try book.quote("op", replacing: stored, with: ["chars": .integer(5)]).price == 100)
    #expect(throws: PricingError(field: "quantities.x", reason: .unknownQuantity)) {
      try book.quote("op", replacing: stored, with: ["x": .integer(5)])
    }
    #expect(throws: PricingError(field: "quantities.chars", reason: .missing)) {
      try book.quote("op", replacing: Quantities(), with: [:])
    }
  }

  @Test func anUnknownOperationIsRefused() throws {
    #expect(throws: PricingError(field: "operation", reason: .unknownOperation)) {
      try oneOperationBook(Self.quantities).quote("other", input: nil)
    }
  }

  @Test(arguments: ["[]", "1", #"{"a": 1.0}"#, #"{"a": -1}"#, #"{"a": null}"#])
  func onlyStoredQuantitiesAreReadBack(text: String) throws {
    #expect(try Quantities(json: json(text)) == nil)
  }
}
