import Testing

@testable import Tollgate

@Suite struct BadLineTests {
  /// The problems of a line beside its component, less the place of the line.
  private func lineProblems(_ members: String) throws -> [String] {
    let place = #"operations."a.b".lines[0]."#
    return try operationProblems(
      #"""
      {"quantities": {"n": {"measure": "integer"},
                      "g": {"measure": "choice", "choices": ["a", "b"]}},
       "lines": [{\#(members)}]}
      """#
    ).map { problem in
      #expect(problem.hasPrefix(place))
      return String(problem.dropFirst(place.count))
    }
  }

  @Test(arguments: [
    ("", "component: missing"),
    (
      #""component": "a b""#, "component: a name has 1 to 128 of the characters A-Z a-z 0-9 _ . : -"
    ),
    (#""component": "c", "base": -1"#, "base: must be a whole number from 0 to 1000000000000"),
    (
      #""component": "c", "base": 1000000000001"#,
      "base: must be a whole number from 0 to 1000000000000"
    ),
    (#""component": "c", "price": 1"#, "price: unknown key"),
    (
      #""component": "c", "minimum": 2, "maximum": 1"#,
      "maximum: must be a whole number from 2 to 1000000000000"
    ),
    (#""component": "c", "rates": {}"#, "rates: must be a list"),
  ])
  func aBadLineIsRefused(members: String, expected: String) throws {
    #expect(try lineProblems(members) == [expected])
  }

  @Test(arguments: [
    (
      #""of": ["n"], "credits": 1, "unit": 0"#,
      "unit: must be a whole number from 1 to 1000000000000"
    ),
    (#""of": ["n"]"#, "credits: missing"),
    (#""credits": 1"#, "of: missing"),
    (#""of": [], "credits": 1"#, "of: must have 1 to 8 entries"),
    (
      #""of": ["x"], "credits": 1"#,
      "of[0]: must name a quantity of this operation that is not a choice"
    ),
    (
      #""of": ["g"], "credits": 1"#,
      "of[0]: must name a quantity of this operation that is not a choice"
    ),
    (#""of": ["n"], "tiers": [{"credits": 1}]"#, "mode: missing"),
    (#""of": ["n"], "credits": 1, "mode": "volume""#, "mode: unknown key"),
  ])
  func aBadRateIsRefused(members: String, expected: String) throws {
    let found = try lineProblems(#""component": "c", "rates": [{\#(members)}]"#)
    #expect(found == ["rates[0].\(expected)"])
  }

  @Test(
    arguments: [
      ("", "tiers: must have 1 to 32 entries"),
      (#"{"credits": 1, "up_to": 5}"#, "tiers[0].up_to: the last tier has no end"),
      (#"{"credits": 1}, {"credits": 1}"#, "tiers[0].up_to: missing"),
      (
        #"{"credits": 1, "up_to": 5}, {"credits": 1, "up_to": 5}, {"credits": 1}"#,
        "tiers[1].up_to: must be above the tier before"
      ),
    ], ["graduated", "volume"])
  func badTiersAreRefused(example: (tiers: String, expected: String), mode: String) throws {
    let rate = #"{"of": ["n"], "mode": "\#(mode)", "tiers": [\#(example.tiers)]}"#
    let found = try lineProblems(#""component": "c", "rates": [\#(rate)]"#)
    #expect(found == ["rates[0].\(example.expected)"])
  }

  @Test(arguments: [
    (#"{"by": "n", "values": {}}"#, "factors[0].by: must name a choice of this operation"),
    (#"{"by": "g", "values": {"a": 1}}"#, "factors[0].values.b: missing"),
    (
      #"{"by": "g", "values": {"a": 1, "b": 1, "z": 1}}"#,
      "factors[0].values.z: is not a choice of this quantity"
    ),
    (
      #"{"by":"g","values":{"a":2,"b":1}}, {"by":"g","values":{"a":1,"b":1000000000000}}"#,
      "factors: multiply to more than 1000000000000"
    ),
  ])
  func aBadFactorIsRefused(factors: String, expected: String) throws {
    #expect(try lineProblems(#""component": "c", "factors": [\#(factors)]"#) == [expected])
  }

  @Test(arguments: ["1.5", "-1", #""3""#, #""1/0""#, #""-1/2""#, #""1/2/3""#, #"" 1/2""#, "null"])
  func aBadFractionIsRefused(value: String) throws {
    let factor = #"{"by": "g", "values": {"a": \#(value), "b": 1}}"#
    let found = try lineProblems(#""component": "c", "factors": [\#(factor)]"#)
    #expect(found.count == 1)
    #expect(found[0].hasPrefix("factors[0].values.a: must be a whole number or a fraction"))
  }
}
