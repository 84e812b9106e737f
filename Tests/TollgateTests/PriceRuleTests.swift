import Testing

@testable import Tollgate

@Suite struct PriceRuleTests {
  private func price(_ line: String, n: Int64 = 0, m: Int64 = 0, g: String = "a") throws -> Int64 {
    let quantities: [String: JSON] = ["n": .integer(n), "m": .integer(m), "g": .string(g)]
    return try book(line: line).quote("op", input: nil, quantities: quantities).price
  }

  @Test(arguments: [(0, 0), (1, 3), (10, 3), (11, 6), (20, 6), (21, 9)] as [(Int64, Int64)])
  func aRateCountsStartedUnits(n: Int64, expected: Int64) throws {
    #expect(try price(#""rates": [{"of": ["n"], "credits": 3, "unit": 10}]"#, n: n) == expected)
  }

  @Test(arguments: [(0, 4), (100, 4), (101, 5), (150, 5), (151, 6)] as [(Int64, Int64)])
  func theIncludedAmountCostsNothing(n: Int64, expected: Int64) throws {
    let rate = #"{"of": ["n"], "credits": 1, "unit": 50, "included": 100}"#
    #expect(try price(#""base": 4, "rates": [\#(rate)]"#, n: n) == expected)
  }

  @Test(arguments: [(0, 9, 0), (9, 0, 0), (1, 1, 2), (3, 5, 6)] as [(Int64, Int64, Int64)])
  func aRateTakesTheProductOfItsQuantities(n: Int64, m: Int64, expected: Int64) throws {
    let line = #""rates": [{"of": ["n", "m"], "credits": 2, "unit": 5}]"#
    #expect(try price(line, n: n, m: m) == expected)
  }

  @Test(
    arguments: [(0, 0), (1, 5), (10, 50), (11, 53), (20, 80), (21, 81), (24, 81), (25, 82)]
      as [(Int64, Int64)])
  func aGraduatedRatePricesEachPartAtItsTier(n: Int64, expected: Int64) throws {
    let line = #"""
      "rates": [{"of": ["n"], "mode": "graduated", "tiers": [
        {"up_to": 10, "credits": 5}, {"up_to": 20, "credits": 3}, {"credits": 1, "unit": 4}]}]
      """#
    #expect(try price(line, n: n) == expected)
  }

  @Test(
    arguments: [
      (0, 0), (1, 5), (10, 50), (11, 50), (16, 50), (17, 51), (20, 60), (60, 60), (61, 61),
    ]
      as [(Int64, Int64)])
  func aVolumeRateNeverCostsLessThanAFullLowerTier(n: Int64, expected: Int64) throws {
    let line = #"""
      "rates": [{"of": ["n"], "mode": "volume", "tiers": [
        {"up_to": 10, "credits": 5}, {"up_to": 20, "credits": 3}, {"credits": 1}]}]
      """#
    #expect(try price(line, n: n) == expected)
  }

  @Test(
    arguments: [(1, "a", 2), (1, "b", 0), (2, "a", 3), (3, "a", 5)] as [(Int64, String, Int64)])
  func factorsAreExactAndRoundUpOnce(n: Int64, g: String, expected: Int64) throws {
    let line = #"""
      "rates": [{"of": ["n"], "credits": 1}], "factors": [
        {"by": "g", "values": {"a": "1/3", "b": 0}}, {"by": "g", "values": {"a": "9/2", "b": 7}}]
      """#
    #expect(try price(line, n: n, g: g) == expected)
  }

  @Test(arguments: [(0, 5), (5, 5), (6, 6), (9, 9), (10, 9), (1 << 40, 9)] as [(Int64, Int64)])
  func aLineIsClamped(n: Int64, expected: Int64) throws {
    let line = #""rates": [{"of": ["n"], "credits": 1}], "minimum": 5, "maximum": 9"#
    #expect(try price(line, n: n) == expected)
  }

  @Test(arguments: [
    #""rates": [{"of": ["n"], "credits": 1000000000000}]"#,
    #""rates": [{"of": ["n", "n"], "credits": 1}]"#,
    #""rates": [{"of": ["n", "n", "n"], "credits": 0}]"#,
    #""rates": [{"of": ["n", "n"], "credits": 1000000000000}], "maximum": 1"#,
    #""rates": [{"of": ["n"], "mode": "graduated", "tiers": [{"credits": 1000000000000}]}]"#,
    #""rates": [{"of": ["n", "n"], "mode": "volume", "tiers": [{"credits": 1000000000}]}]"#,
    #"""
    "rates": [{"of": ["n"], "credits": 1000000000000}],
    "factors": [{"by": "g", "values": {"a": 1000000000000, "b": 1}}]
    """#,
  ])
  func aPriceTooLargeIsRefused(line: String) throws {
    #expect(throws: PricingError(field: "quantities", reason: .priceTooLarge)) {
      try price(line, n: .max)
    }
  }

  @Test func aProductWithAZeroIsZeroHoweverLargeTheOthers() throws {
    let line = #""base": 3, "rates": [{"of": ["n", "n", "n", "m"], "credits": 1}]"#
    #expect(try price(line, n: .max, m: 0) == 3)
    #expect(throws: PricingError.self) { try price(line, n: .max, m: 1) }
  }

  @Test func aLineCostsAtMostTenToTheFifteen() throws {
    let line = #""rates": [{"of": ["n"], "credits": 1000}]"#
    #expect(try price(line, n: 1_000_000_000_000) == PriceLine.largest)
    #expect(throws: PricingError.self) { try price(line, n: 1_000_000_000_001) }
  }

  @Test func everyLineIsChargedToItsComponent() throws {
    let book = try oneOperationBook(
      #"""
      {"lines": [{"component": "a", "base": 2}, {"component": "b"}, {"component": "c", "base": 3}]}
      """#)
    let quote = try book.quote("op", input: nil)
    #expect(
      quote.lines == [
        PriceLine(component: "a", credits: 2), PriceLine(component: "b", credits: 0),
        PriceLine(component: "c", credits: 3),
      ])
    #expect(quote.price == 5 && !quote.isFree)
    #expect(book.operations["op"]?.components == ["a", "b", "c"])
  }

  @Test(arguments: [
    ("{}", false), (#"{"skip": true}"#, true), (#"{"skip": false}"#, false),
    (#"{"skip": "true"}"#, false), (#"{"skip": 1}"#, false), (#"{"plan": "trial"}"#, true),
    (#"{"messages": [{}, {"media": 1}]}"#, true), (#"{"messages": [7, {"media": 1}]}"#, true),
    (#"{"messages": [{"media": 1.0}]}"#, false), (#"{"messages": {"media": 1}}"#, false),
  ])
  func aConditionMakesARequestFree(input: String, isFree: Bool) throws {
    let book = try oneOperationBook(
      #"""
      {"free_when": [{"path": "skip", "equals": true}, {"path": "plan", "equals": "trial"},
                     {"path": "messages[*].media", "equals": 1}],
       "lines": [{"component": "c", "base": 7}]}
      """#)
    let quote = try book.quote("op", input: json(input))
    #expect(quote.isFree == isFree)
    #expect(quote.lines.isEmpty == isFree)
  }
}
