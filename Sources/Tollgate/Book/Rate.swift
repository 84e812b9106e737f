/// Credits per started unit of an amount: one quantity, or the product of several.
struct Rate: Sendable {
  enum Schedule: Sendable {
    case flat(UnitPrice)
    /// Each part of the amount at the price of its own tier.
    case graduated([Tier])
    /// The whole amount at the price of the tier it reaches.
    case volume([Tier])
  }

  let of: [String]
  /// How much of the amount costs nothing.
  let included: Int64
  let schedule: Schedule
}

struct UnitPrice: Sendable {
  let credits: Int64
  let unit: Int64
}

struct Tier: Sendable {
  /// The last amount of this tier; the last tier has no end.
  let upTo: Int64?
  let price: UnitPrice
}

// Nil means beyond 128 bits, all through. Such a price is refused rather than guessed at.

extension Rate {
  func credits(for quantities: Quantities) -> Int128? {
    guard let amount = amount(in: quantities) else { return nil }
    return schedule.credits(for: max(amount - Int128(included), 0))
  }

  private func amount(in quantities: Quantities) -> Int128? {
    let factors = of.map { Int128(quantities.integer($0)) }
    // Zero first: a product with a zero in it is zero however large the others are.
    if factors.contains(0) { return 0 }
    return factors.reduce(1) { product, factor in product?.times(factor) }
  }
}

extension Rate.Schedule {
  func credits(for amount: Int128) -> Int128? {
    switch self {
    case .flat(let price): price.credits(for: amount)
    case .graduated(let tiers): Self.graduated(tiers, amount)
    case .volume(let tiers): Self.volume(tiers, amount)
    }
  }

  private static func graduated(_ tiers: [Tier], _ amount: Int128) -> Int128? {
    var total: Int128? = 0
    var start: Int128 = 0
    for tier in tiers where amount > start {
      let end = min(amount, tier.end)
      guard let part = tier.price.credits(for: end - start) else { return nil }
      total = total?.plus(part)
      start = end
    }
    return total
  }

  /// A larger amount must never cost less, so reaching a cheaper tier costs at least as much as
  /// each lower tier filled to its end.
  private static func volume(_ tiers: [Tier], _ amount: Int128) -> Int128? {
    var largest: Int128 = 0
    for tier in tiers {
      guard let credits = tier.price.credits(for: min(amount, tier.end)) else { return nil }
      largest = max(largest, credits)
      if amount <= tier.end { break }
    }
    return largest
  }
}

extension Tier {
  var end: Int128 { upTo.map { Int128($0) } ?? .max }
}

extension UnitPrice {
  func credits(for amount: Int128) -> Int128? {
    amount.dividedRoundingUp(by: Int128(unit)).times(Int128(credits))
  }
}
