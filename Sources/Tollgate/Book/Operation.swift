/// A billable endpoint: what to measure in its requests, and a price rule per component.
public struct Operation: Sendable {
  let name: String
  let quantities: [String: Quantity]
  let freeWhen: [Condition]
  let lines: [LineRule]
  let repeatSeconds: Int32?
}

/// Holds when the path leads to the value, anywhere in the request.
struct Condition: Sendable {
  let path: InputPath
  let value: JSON
}

extension Operation {
  /// The components that calls are billed to, in the order of their lines; none when always free.
  public var components: [String] { lines.map(\.component) }

  func isFree(for input: JSON?) -> Bool {
    guard let input else { return false }
    return freeWhen.contains { $0.path.leads(to: $0.value, in: input) }
  }

  func quote(_ quantities: Quantities, isFree: Bool = false) throws(PricingError) -> Quote {
    var priced: [PriceLine] = []
    for line in lines where !isFree { priced.append(try line.line(for: quantities)) }
    return Quote(operation: name, quantities: quantities, lines: priced)
  }

  /// One value per quantity of the operation: the given one, or else what `other` finds.
  func quantities(
    given: [String: JSON], limits: QuantityLimits = .enforced,
    other: (Quantity) throws(PricingError) -> Quantities.Value
  ) throws(PricingError) -> Quantities {
    try refuseUnknown(given.keys)
    var result = Quantities()
    for (name, quantity) in quantities.sorted(by: { $0.key < $1.key }) {
      result.values[name] =
        if let json = given[name] {
          try quantity.given(json, limits: limits)
        } else {
          try other(quantity)
        }
    }
    return result
  }

  private func refuseUnknown(_ names: some Collection<String>) throws(PricingError) {
    guard let unknown = names.sorted().first(where: { quantities[$0] == nil }) else { return }
    let field = unknown.isBookName ? "quantities.\(unknown)" : "quantities"
    throw PricingError(field: field, reason: .unknownQuantity)
  }
}
