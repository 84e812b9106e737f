import Testing

@testable import Tollgate

/// 100,000 random requests to 5,000 random books, the same in every run.
@Suite struct RandomPriceTests {
  @Test(arguments: 0..<10)
  func aPriceEqualsTheSlowModelAndNeverFalls(seed: UInt64) throws {
    var random = SeededRandom(state: seed)
    for _ in 0..<500 {
      let line = SlowLine.random(&random)
      let book = try line.book()
      let choice = ["a", "b"].randomElement(using: &random)!
      var integers = ["n": 0, "m": 0]
      var last: Int64 = 0
      for _ in 0..<20 {
        let price = try book.price(integers, choice)
        #expect(price == line.price(integers, choice: choice), "\(line) \(integers) \(choice)")
        #expect(price >= last)
        last = price
        integers[["n", "m"].randomElement(using: &random)!]! += Int.random(
          in: 0...3, using: &random)
      }
    }
  }

  @Test(arguments: 100..<110)
  func aHugePriceIsRefusedForGoodAndNeverTraps(seed: UInt64) throws {
    var random = SeededRandom(state: seed)
    for _ in 0..<50 {
      let book = try SlowLine.random(&random, scale: 1_000_000_000_000).book()
      var integers = ["n": 0, "m": 0]
      var last: Int64? = 0
      for _ in 0..<40 {
        let price = try? book.price(integers, "a")
        if let price { #expect(price >= last ?? .max, "\(integers)") }
        last = price
        let name = ["n", "m"].randomElement(using: &random)!
        integers[name] =
          integers[name]!
          + Int.random(
            in: 0...(Int.max - integers[name]!) >> Int.random(in: 0...60, using: &random),
            using: &random)
      }
    }
  }

  @Test(arguments: 200..<210)
  func theLargestFitIsTheOneFoundByTryingAll(seed: UInt64) throws {
    var random = SeededRandom(state: seed)
    for _ in 0..<30 {
      let line = SlowLine.random(&random)
      let book = try line.book()
      let integers = ["n": Int.random(in: 0...30, using: &random), "m": 7]
      let quote = try book.quote(integers, "a")
      let available = Int64.random(in: 0...quote.price, using: &random)
      for fit in book.largestFit(quote, available: available) {
        let fitting = try (0...integers[fit.quantity]!).last {
          var tried = integers
          tried[fit.quantity] = $0
          return try book.price(tried, "a") <= available
        }
        #expect(fit.largest == Int64(fitting ?? 0))
      }
    }
  }
}

extension SlowLine {
  func book() throws -> PriceBook {
    let text = """
      {"quantities": {"n": {"measure": "integer"}, "m": {"measure": "integer"},
         "g": {"measure": "choice", "choices": ["a", "b"]}},
       "lines": [\(String(decoding: json.canonicalBytes, as: UTF8.self))]}
      """
    return try oneOperationBook(text)
  }

  /// A rule with constants up to `scale`.
  static func random(_ random: inout SeededRandom, scale: Int = 12) -> SlowLine {
    let minimum = Int.random(in: 0...scale, using: &random)
    return SlowLine(
      base: Int.random(in: 0...scale, using: &random),
      rates: (0..<Int.random(in: 0...3, using: &random)).map { _ in
        Rate.random(&random, scale: scale)
      },
      factors: (0..<Int.random(in: 0...2, using: &random)).map { _ in
        [
          "a": (Int.random(in: 0...9, using: &random), Int.random(in: 1...9, using: &random)),
          "b": (Int.random(in: 0...9, using: &random), Int.random(in: 1...9, using: &random)),
        ]
      },
      minimum: minimum,
      maximum: Bool.random(using: &random)
        ? nil : min(minimum + 20 * (scale / 12), 1_000_000_000_000))
  }
}

extension SlowLine.Rate {
  fileprivate static func random(_ random: inout SeededRandom, scale: Int) -> SlowLine.Rate {
    let mode = [nil, "graduated", "volume"].randomElement(using: &random)!
    let count = mode == nil ? 1 : Int.random(in: 1...4, using: &random)
    var end = 0
    let tiers = (1...count).map { index in
      end += Int.random(in: 1...max(scale / 4, 1), using: &random)
      return SlowLine.Tier(
        upTo: index == count ? nil : end, credits: Int.random(in: 0...scale, using: &random),
        unit: Int.random(in: 1...max(scale / 2, 1), using: &random))
    }
    return SlowLine.Rate(
      of: [["n"], ["m"], ["n", "m"]].randomElement(using: &random)!,
      included: Int.random(in: 0...scale, using: &random), mode: mode, tiers: tiers)
  }
}

extension PriceBook {
  fileprivate func quote(_ integers: [String: Int], _ choice: String) throws -> Quote {
    var quantities = integers.mapValues { JSON.integer(Int64($0)) }
    quantities["g"] = .string(choice)
    return try quote("op", input: nil, quantities: quantities)
  }

  fileprivate func price(_ integers: [String: Int], _ choice: String) throws -> Int64 {
    try quote(integers, choice).price
  }
}
