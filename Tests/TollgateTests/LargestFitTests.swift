import Testing

@testable import Tollgate

@Suite struct LargestFitTests {
  private func fits(_ input: String, available: Int64) throws -> [String] {
    let book = try exampleBook()
    let quote = try book.quote("personas.generate", input: json(input))
    return book.largestFit(quote, available: available).map { "\($0.quantity) \($0.largest)" }
  }

  @Test(arguments: [
    (#"{"count": 12}"#, 1_000, "count 11"), (#"{"count": 12}"#, 1_020, "count 12"),
    (#"{"count": 12}"#, 85, "count 1"), (#"{"count": 12}"#, 84, "count 0"),
    (#"{"count": 12, "grounding": "research"}"#, 1_020, "count 2"),
    (#"{"count": 12}"#, -1, "count 0"), (#"{"count": 200}"#, 16_999, "count 199"),
  ])
  func theLargestCountThatFits(input: String, available: Int64, expected: String) throws {
    #expect(try fits(input, available: available) == [expected])
  }

  @Test func onlyQuantitiesThatThePriceDependsOnAreNamedInOrder() throws {
    let book = try oneOperationBook(
      #"""
      {"quantities": {"z": {"measure": "integer"}, "a": {"measure": "integer"},
                      "idle": {"measure": "integer"}},
       "lines": [{"component": "c", "rates": [{"of": ["z", "a"], "credits": 1}]}]}
      """#)
    let quote = try book.quote(
      "op", input: nil, quantities: ["z": .integer(10), "a": .integer(20), "idle": .integer(3)])
    let fits = book.largestFit(quote, available: 100)
    #expect(fits.map(\.quantity) == ["a", "z"])
    #expect(fits.map(\.largest) == [10, 5])
  }

  @Test func theWholeRangeOfAnIntegerIsSearched() throws {
    let book = try book(line: #""rates": [{"of": ["n"], "credits": 1, "unit": 1000000000000}]"#)
    let quote = try book.quote("op", input: nil, quantities: ["n": .integer(.max)])
    #expect(book.largestFit(quote, available: .max).map(\.largest) == [.max])
    #expect(book.largestFit(quote, available: 3).map(\.largest) == [3_000_000_000_000])
    #expect(book.largestFit(quote, available: 0).map(\.largest) == [0])
  }
}
