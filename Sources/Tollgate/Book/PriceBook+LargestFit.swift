extension PriceBook {
  /// What would still fit: for each integer quantity that the price depends on, the largest value
  /// that costs at most `available` credits with the others unchanged, sorted by name. Zero when
  /// not even the quantity's minimum fits.
  public func largestFit(
    _ quote: Quote, available: Int64
  ) -> [(quantity: String, largest: Int64)] {
    guard let operation = operations[quote.operation] else { return [] }
    return operation.quantities.values
      .filter { quantity in operation.lines.contains { $0.scales(with: quantity.name) } }
      .sorted { $0.name < $1.name }
      .map { ($0.name, operation.largest($0, in: quote.quantities, available: available)) }
  }
}

extension Operation {
  /// A binary search, for the price is monotone: at most 64 prices are computed.
  fileprivate func largest(
    _ quantity: Quantity, in quantities: Quantities, available: Int64
  ) -> Int64 {
    func fits(_ value: Int64) -> Bool {
      var tried = quantities
      tried.values[quantity.name] = .integer(value)
      guard let price = try? quote(tried).price else { return false }
      return price <= available
    }
    var low = quantity.range.lowerBound
    var high = quantities.integer(quantity.name)
    guard low <= high, fits(low) else { return 0 }
    while low < high {
      let middle = high - (high - low) / 2
      if fits(middle) { low = middle } else { high = middle - 1 }
    }
    return low
  }
}
