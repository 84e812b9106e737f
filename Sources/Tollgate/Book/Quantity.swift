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

  /// Checks a quantity that the service measured itself.
  func given(_ json: JSON) throws(PricingError) -> Quantities.Value {
    let field = "quantities.\(name)"
    let value = try isChoice ? Self.choice(json, field) : .integer(Self.integer(json, field))
    return try checked(value, field: field)
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
    var total: Int64? = measure == .integer ? nil : 0
    for path in from {
      try path.visit(input) { node, indexes throws(PricingError) in
        let field = { path.field(indexes) }
        let (sum, overflow) = try (total ?? 0).addingReportingOverflow(amount(of: node, field))
        if overflow { throw PricingError(field: field(), reason: .quantityTooLarge) }
        total = sum
      }
    }
    return total.map { .integer($0) }
  }

  private func amount(of node: JSON, _ field: () -> String) throws(PricingError) -> Int64 {
    switch (measure, node) {
    case (.elements, _): return 1
    case (.characters, .string(let text)): return Int64(text.unicodeScalars.count)
    case (.bytes, .string(let text)): return Int64(text.utf8.count)
    case (.integer, _): return try Self.integer(node, field())
    default: throw PricingError(field: field(), reason: .expected("a string"))
    }
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

  private static func integer(_ json: JSON, _ field: String) throws(PricingError) -> Int64 {
    guard case .integer(let integer) = json else {
      throw PricingError(
        field: field, reason: .expected("a whole number from 0 to \(Int64.max), written plainly"))
    }
    guard integer >= 0 else { throw PricingError(field: field, reason: .negative) }
    return integer
  }
}
