/// How one named quantity of an operation is measured, and what it may be.
struct Quantity: Sendable {
  enum Measure: Sendable, Hashable {
    /// Unicode scalars of strings.
    case characters
    /// UTF-8 bytes of strings.
    case bytes
    /// The number of nodes at the paths.
    case elements
    /// The integer itself.
    case integer
    case choice([String])
  }

  let name: String
  /// The places to measure, summed; none when only the service can know the quantity.
  let from: [InputPath]
  let measure: Measure
  let fallback: Quantities.Value?
  let range: ClosedRange<Int64>
}

extension Quantity {
  /// Measures the body. A default stands in for an absent integer or choice, zero for an absent
  /// text or list; without a body there is nothing to measure.
  func measured(in input: JSON?) throws(PricingError) -> Quantities.Value {
    guard let input, !from.isEmpty else { return try defaulted(field: "quantities.\(name)") }
    let value = try isChoice ? chosen(in: input) : summed(in: input)
    guard let value else { return try defaulted(field: from[0].field()) }
    return try checked(value, field: from[0].field())
  }

  /// Checks a quantity that the service measured itself: an integer, whatever it counts.
  func given(
    _ json: JSON, limits: QuantityLimits = .enforced
  ) throws(PricingError) -> Quantities.Value {
    let field = "quantities.\(name)"
    if isChoice { return try checked(Self.choice(json, field), field: field) }
    guard let integer = Measure.integer.count(json) else {
      throw Measure.integer.refusal(of: json, field: field)
    }
    return limits == .ignored
      ? .integer(integer) : try checked(.integer(integer), field: field)
  }

  func defaulted(field: String) throws(PricingError) -> Quantities.Value {
    guard let fallback else { throw PricingError(field: field, reason: .missing) }
    return fallback
  }

  var isChoice: Bool {
    if case .choice = measure { true } else { false }
  }
}

extension Quantity {
  private func chosen(in input: JSON) throws(PricingError) -> Quantities.Value? {
    var choice: Quantities.Value?
    try from[0].visit(input) { node, indexes throws(PricingError) in
      choice = try Self.choice(node, from[0].field(indexes))
    }
    return choice
  }

  private func summed(in input: JSON) throws(PricingError) -> Quantities.Value? {
    let measure = measure
    var total: Int64? = measure == .integer ? nil : 0
    for path in from {
      try path.visit(input) { node, indexes throws(PricingError) in
        guard let amount = measure.count(node) else {
          throw measure.refusal(of: node, field: path.field(indexes))
        }
        let (sum, overflow) = (total ?? 0).addingReportingOverflow(amount)
        if overflow {
          throw PricingError(field: path.field(indexes), reason: .quantityTooLarge)
        }
        total = sum
      }
    }
    return total.map { .integer($0) }
  }

  private func checked(
    _ value: Quantities.Value, field: String
  ) throws(PricingError) -> Quantities.Value {
    switch (value, measure) {
    case (.integer(let integer), _) where integer < range.lowerBound:
      throw PricingError(field: field, reason: .belowMinimum(range.lowerBound))
    case (.integer(let integer), _) where integer > range.upperBound:
      throw PricingError(field: field, reason: .aboveMaximum(range.upperBound))
    case (.choice(let choice), .choice(let choices)) where !choices.contains(choice):
      throw PricingError(field: field, reason: .unknownChoice(choices))
    default:
      return value
    }
  }

  private static func choice(
    _ json: JSON, _ field: String
  ) throws(PricingError) -> Quantities.Value {
    guard case .string(let choice) = json else {
      throw PricingError(field: field, reason: .expected("a string"))
    }
    return .choice(choice)
  }
}

extension Quantity.Measure {
  /// How much `node` adds; nil for what this cannot measure.
  fileprivate func count(_ node: JSON) -> Int64? {
    switch (self, node) {
    case (.elements, _): 1
    case (.characters, .string(let text)): Int64(text.scalarCount)
    case (.bytes, .string(let text)): Int64(text.utf8.count)
    case (.integer, .integer(let integer)) where integer >= 0: integer
    default: nil
    }
  }

  fileprivate func refusal(of node: JSON, field: String) -> PricingError {
    switch (self, node) {
    case (.integer, .integer):
      PricingError(field: field, reason: .negative)
    case (.integer, _):
      PricingError(
        field: field, reason: .expected("a whole number from 0 to \(Int64.max), written plainly"))
    default:
      PricingError(field: field, reason: .expected("a string"))
    }
  }
}

extension String {
  /// Unicode scalars, counted by their first bytes: several times faster than walking them.
  fileprivate var scalarCount: Int {
    utf8.withContiguousStorageIfAvailable { bytes in
      bytes.count { $0 & 0b1100_0000 != 0b1000_0000 }
    } ?? unicodeScalars.count
  }
}
