/// An immutable version of all the price rules of a tenant. `docs/price-book.md` is its reference.
public struct PriceBook: Sendable {
  public let operations: [String: Operation]
}

/// Whether a quantity must be within the minimum and maximum of the book.
public enum QuantityLimits: Sendable {
  /// For what is asked for.
  case enforced
  /// For work that was done: a call for one to 200 may have done none of them.
  case ignored
}

extension PriceBook {
  /// Prices `operation` from the request body, from quantities the service measured itself, or
  /// from both; a given quantity goes before the measured one.
  public func quote(
    _ operation: String, input: JSON?, quantities given: [String: JSON] = [:]
  ) throws(PricingError) -> Quote {
    let operation = try self.operation(operation)
    let input = input == .null ? nil : input
    let quantities = try operation.quantities(given: given) { quantity throws(PricingError) in
      try quantity.measured(in: input)
    }
    return try operation.quote(quantities, isFree: operation.isFree(for: input))
  }

  /// Prices again with stored quantities partly replaced. The conditions that make a request free
  /// are not asked again: a free call holds nothing that could be priced again.
  public func quote(
    _ operation: String, replacing stored: Quantities, with given: [String: JSON],
    limits: QuantityLimits = .enforced
  ) throws(PricingError) -> Quote {
    let operation = try self.operation(operation)
    let quantities = try operation.quantities(
      given: given, limits: limits
    ) { quantity throws(PricingError) in
      guard let value = stored.values[quantity.name] else {
        return try quantity.defaulted(field: "quantities.\(quantity.name)")
      }
      return try quantity.given(value.json, limits: limits)
    }
    return try operation.quote(quantities)
  }

  /// How long the same request without an idempotency key is a repeat, in seconds; `nil` for never.
  public func repeatSeconds(of operation: String) -> Int32? { operations[operation]?.repeatSeconds }

  private func operation(_ name: String) throws(PricingError) -> Operation {
    guard let operation = operations[name] else {
      throw PricingError(field: "operation", reason: .unknownOperation)
    }
    return operation
  }
}
