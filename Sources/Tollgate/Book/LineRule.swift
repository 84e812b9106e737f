/// The price rule of one component:
/// `clamp(ceil((base + rates) x factors), minimum, maximum)`.
struct LineRule: Sendable {
  let component: String
  let base: Int64
  let rates: [Rate]
  let factors: [Factor]
  let minimum: Int64
  let maximum: Int64?
}

/// An exact multiplier chosen by a named value.
struct Factor: Sendable {
  let by: String
  let values: [String: Fraction]
}

struct Fraction: Sendable, Hashable {
  let numerator: Int64
  let denominator: Int64
}

extension LineRule {
  func line(for quantities: Quantities) throws(PricingError) -> PriceLine {
    guard let credits = credits(for: quantities), credits <= PriceLine.largest else {
      throw PricingError(field: "quantities", reason: .priceTooLarge)
    }
    return PriceLine(component: component, credits: Int64(credits))
  }

  /// Exact in 128 bits, nil when a step does not fit. A step only grows with the quantities, so an
  /// amount that is refused stays refused when it grows: the price is monotone to the end.
  private func credits(for quantities: Quantities) -> Int128? {
    var total: Int128? = Int128(base)
    for rate in rates {
      guard let credits = rate.credits(for: quantities) else { return nil }
      total = total?.plus(credits)
    }
    let fractions = factors.map { $0.value(for: quantities) }
    guard let scaled = total?.times(fractions.product(\.numerator)) else { return nil }
    let price = scaled.dividedRoundingUp(by: fractions.product(\.denominator))
    return min(max(price, Int128(minimum)), maximum.map { Int128($0) } ?? .max)
  }

  /// Whether the price depends on the integer `name`.
  func scales(with name: String) -> Bool {
    rates.contains { $0.of.contains(name) }
  }
}

extension Factor {
  /// One for a value without a factor, which a valid book rules out.
  func value(for quantities: Quantities) -> Fraction {
    guard case .choice(let choice) = quantities.values[by], let value = values[choice] else {
      return Fraction(numerator: 1, denominator: 1)
    }
    return value
  }
}

extension [Fraction] {
  /// The book keeps the products of a line's factors small; see `LineRule.largestScale`.
  func product(_ part: KeyPath<Fraction, Int64>) -> Int128 {
    reduce(1) { $0 * Int128($1[keyPath: part]) }
  }
}
