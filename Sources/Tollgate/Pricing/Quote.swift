/// A price with no side effect.
public struct Quote: Sendable, Hashable {
  public let operation: String
  public let quantities: Quantities
  /// One line per component, in the order of the book; none when the input made the call free.
  public let lines: [PriceLine]
}

extension Quote {
  /// In credits; at most `PriceLine.largest` per line.
  public var price: Int64 { lines.reduce(0) { $0 + $1.credits } }

  public var isFree: Bool { price == 0 }
}

/// What one component charges for a call.
public struct PriceLine: Sendable, Hashable {
  /// The largest price of a line, in credits; with at most 16 lines every total fits `Int64`.
  public static let largest: Int64 = 1_000_000_000_000_000

  public let component: String
  public let credits: Int64

  public init(component: String, credits: Int64) {
    self.component = component
    self.credits = credits
  }
}
