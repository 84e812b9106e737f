import Testing

@testable import Tollgate

@Suite struct BadBookTests {
  private func problems(_ text: String) throws -> [String] {
    let error = #expect(throws: PriceBookError.self) { try PriceBook(json: json(text)) }
    return try #require(error).problems.map(\.description)
  }

  private func operationProblems(_ operation: String) throws -> [String] {
    try problems(#"{"operations": {"a.b": \#(operation)}}"#)
  }

  @Test(arguments: [
    ("[]", "must be an object"), ("{}", "operations: missing"),
    (#"{"operations": []}"#, "operations: must be an object"),
    (
      #"{"operations": {"a b": {"lines": []}}}"#,
      #"operations."a b": a name has 1 to 128 of the characters A-Z a-z 0-9 _ . : -"#
    ),
    (#"{"operations": {"a": 1}}"#, "operations.a: must be an object"),
    (#"{"operations": {"a": {}}}"#, "operations.a.lines: missing"),
    (#"{"operations": {}, "version": 1}"#, "version: unknown key"),
  ])
  func aBadBookIsRefused(text: String, expected: String) throws {
    #expect(try problems(text).contains(expected))
  }

  @Test(arguments: [
    (#"{}"#, "measure: missing"),
    (
      #"{"measure": "tokens"}"#,
      "measure: must be one of characters, bytes, elements, integer, choice"
    ),
    (#"{"measure": "characters"}"#, "from: missing"),
    (#"{"measure": "bytes", "from": []}"#, "from: must have 1 to 16 entries"),
    (
      #"{"measure": "bytes", "from": ["a..b"]}"#,
      "from[0]: must be a path like messages[*].text"
    ),
    (
      #"{"measure": "bytes", "from": ["a[0]"]}"#,
      "from[0]: must be a path like messages[*].text"
    ),
    (
      #"{"measure": "bytes", "from": ["a.[*]"]}"#,
      "from[0]: must be a path like messages[*].text"
    ),
    (#"{"measure": "bytes", "from": ["a"], "default": 1}"#, "default: unknown key"),
    (#"{"measure": "integer", "choices": ["a"]}"#, "choices: unknown key"),
    (
      #"{"measure": "integer", "minimum": 3, "maximum": 2}"#,
      "maximum: must be a whole number from 3 to 1000000000000"
    ),
    (
      #"{"measure": "integer", "minimum": 3, "maximum": 5, "default": 2}"#,
      "default: must be a whole number from 3 to 5"
    ),
    (
      #"{"measure": "integer", "default": 1.0}"#,
      "default: must be a whole number from 0 to 9223372036854775807"
    ),
    (#"{"measure": "choice"}"#, "choices: missing"),
    (#"{"measure": "choice", "choices": []}"#, "choices: must have 1 to 64 entries"),
    (#"{"measure": "choice", "choices": ["a", "a"]}"#, "choices[1]: repeats an earlier choice"),
    (#"{"measure": "choice", "choices": ["a"], "default": "b"}"#, "default: must be one of a"),
    (#"{"measure": "choice", "choices": ["a"], "minimum": 1}"#, "minimum: unknown key"),
    (
      #"{"measure": "choice", "choices": ["a"], "from": ["x", "y"]}"#,
      "from: a choice has one path, without [*]"
    ),
    (
      #"{"measure": "choice", "choices": ["a"], "from": ["x[*]"]}"#,
      "from: a choice has one path, without [*]"
    ),
  ])
  func aBadQuantityIsRefused(quantity: String, expected: String) throws {
    let operation = #"{"quantities": {"q": \#(quantity)}, "lines": []}"#
    #expect(
      try operationProblems(operation) == [#"operations."a.b".quantities.q.\#(expected)"#])
  }

  @Test(arguments: [
    (#"{}"#, "component: missing"),
    (
      #"{"component": "a b"}"#,
      "component: a name has 1 to 128 of the characters A-Z a-z 0-9 _ . : -"
    ),
    (#"{"component": "c", "base": -1}"#, "base: must be a whole number from 0 to 1000000000000"),
    (
      #"{"component": "c", "base": 1000000000001}"#,
      "base: must be a whole number from 0 to 1000000000000"
    ),
    (#"{"component": "c", "price": 1}"#, "price: unknown key"),
    (
      #"{"component": "c", "minimum": 2, "maximum": 1}"#,
      "maximum: must be a whole number from 2 to 1000000000000"
    ),
    (#"{"component": "c", "rates": {}}"#, "rates: must be a list"),
    (
      #"{"component": "c", "rates": [{"of": ["n"], "credits": 1, "unit": 0}]}"#,
      "rates[0].unit: must be a whole number from 1 to 1000000000000"
    ),
    (#"{"component": "c", "rates": [{"of": ["n"]}]}"#, "rates[0].credits: missing"),
    (
      #"{"component": "c", "rates": [{"of": [], "credits": 1}]}"#,
      "rates[0].of: must have 1 to 8 entries"
    ),
    (
      #"{"component": "c", "rates": [{"of": ["x"], "credits": 1}]}"#,
      "rates[0].of[0]: must name a quantity of this operation that is not a choice"
    ),
    (
      #"{"component": "c", "rates": [{"of": ["g"], "credits": 1}]}"#,
      "rates[0].of[0]: must name a quantity of this operation that is not a choice"
    ),
    (
      #"{"component": "c", "rates": [{"of": ["n"], "tiers": [{"credits": 1}]}]}"#,
      "rates[0].mode: missing"
    ),
    (
      #"{"component": "c", "rates": [{"of": ["n"], "mode": "graduated", "tiers": []}]}"#,
      "rates[0].tiers: must have 1 to 32 entries"
    ),
    (
      #"{"component": "c", "rates": [{"of": ["n"], "mode": "volume", "tiers": [{"credits": 1, "up_to": 5}]}]}"#,
      "rates[0].tiers[0].up_to: the last tier has no end"
    ),
    (
      #"{"component": "c", "rates": [{"of": ["n"], "mode": "volume", "tiers": [{"credits": 1}, {"credits": 1}]}]}"#,
      "rates[0].tiers[0].up_to: missing"
    ),
    (
      #"{"component": "c", "rates": [{"of": ["n"], "mode": "volume", "tiers": [{"credits": 1, "up_to": 5}, {"credits": 1, "up_to": 5}, {"credits": 1}]}]}"#,
      "rates[0].tiers[1].up_to: must be above the tier before"
    ),
    (
      #"{"component": "c", "factors": [{"by": "n", "values": {}}]}"#,
      "factors[0].by: must name a choice of this operation"
    ),
    (
      #"{"component": "c", "factors": [{"by": "g", "values": {"a": 1}}]}"#,
      "factors[0].values.b: missing"
    ),
    (
      #"{"component": "c", "factors": [{"by": "g", "values": {"a": 1, "b": 1, "z": 1}}]}"#,
      "factors[0].values.z: is not a choice of this quantity"
    ),
    (
      #"{"component": "c", "factors": [{"by": "g", "values": {"a": 1, "b": 1000000000000}}, {"by": "g", "values": {"a": 2, "b": 1}}]}"#,
      "factors: multiply to more than 1000000000000"
    ),
  ])
  func aBadLineIsRefused(line: String, expected: String) throws {
    let operation = #"""
      {"quantities": {"n": {"measure": "integer"},
                      "g": {"measure": "choice", "choices": ["a", "b"]}}, "lines": [\#(line)]}
      """#
    #expect(try operationProblems(operation) == [#"operations."a.b".lines[0].\#(expected)"#])
  }

  @Test(arguments: ["1.5", "-1", #""3""#, #""1/0""#, #""-1/2""#, #""1/2/3""#, #"" 1/2""#, "null"])
  func aBadFractionIsRefused(value: String) throws {
    let found = try operationProblems(
      #"""
      {"quantities": {"g": {"measure": "choice", "choices": ["a"]}},
       "lines": [{"component": "c", "factors": [{"by": "g", "values": {"a": \#(value)}}]}]}
      """#)
    #expect(found.count == 1)
    #expect(found[0].hasPrefix(#"operations."a.b".lines[0].factors[0].values.a: must be a whole"#))
  }

  @Test(arguments: [
    (#"{"equals": 1}"#, "path: missing"), (#"{"path": "a"}"#, "equals: missing"),
    (#"{"path": "a", "equals": 1.0}"#, "equals: must be true, false, a whole number or a string"),
    (#"{"path": "a", "equals": null}"#, "equals: must be true, false, a whole number or a string"),
  ])
  func aBadConditionIsRefused(condition: String, expected: String) throws {
    let found = try operationProblems(#"{"free_when": [\#(condition)], "lines": []}"#)
    #expect(found == [#"operations."a.b".free_when[0].\#(expected)"#])
  }

  @Test func aComponentHasOneLine() throws {
    let found = try operationProblems(#"{"lines": [{"component": "c"}, {"component": "c"}]}"#)
    #expect(found == [#"operations."a.b".lines[1].component: repeats an earlier line"#])
  }

  @Test func everyProblemIsReportedAtOnceUpToALimit() throws {
    #expect(
      try operationProblems(#"{"quantities": 1, "free_when": 2, "lines": 3, "x": 4}"#).count == 4)
    let names = (0..<1_001).map { #""o\#($0)": 1"# }.joined(separator: ",")
    let found = try problems(#"{"operations": {\#(names)}}"#)
    #expect(found.count == 100)
    #expect(found[0] == "operations: must have at most 1000 entries")
  }

  @Test func allBooksWithinTheLimitsAreTaken() throws {
    let names = (0..<1_000).map { #""o\#($0)": {"lines": []}"# }.joined(separator: ",")
    #expect(try PriceBook(json: json(#"{"operations": {\#(names)}}"#)).operations.count == 1_000)
  }
}
