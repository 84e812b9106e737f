import Testing

@testable import Tollgate

@Suite struct BadBookTests {
  @Test(arguments: [
    ("[]", "must be an object"), ("{}", "operations: missing"),
    (#"{"operations": []}"#, "operations: must be an object"),
    (
      #"{"operations": {"a b": {"lines": []}}}"#,
      #"operations."a b": a name has 1 to 128 of the characters A-Z a-z 0-9 _ . : -"#
    ),
    (#"{"operations": {"a": 1}}"#, "operations.a: must be an object"),
    (#"{"operations": {"a": {}}}"#, "operations.a.lines: missing"),
    (
      #"{"operations": {"a": {"lines": [], "repeat_seconds": 86401}}}"#,
      "operations.a.repeat_seconds: must be a whole number from 1 to 86400"
    ),
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
