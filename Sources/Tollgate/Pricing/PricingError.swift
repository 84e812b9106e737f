/// Why an operation has no price: the caller's input, never a fault of the book.
///
/// `field` is the place in the request (`operation`, `input.count`, `quantities.count`). Field and
/// message are safe to show and to log: they repeat no value that the caller sent.
public struct PricingError: Error, Sendable, Hashable {
  public enum Reason: Sendable, Hashable {
    case unknownOperation
    case unknownQuantity
    case missing
    /// A value of the wrong type; what was expected, with its article: `a string`.
    case expected(String)
    case negative
    case belowMinimum(Int64)
    case aboveMaximum(Int64)
    case unknownChoice([String])
    /// A measured sum beyond `Int64.max`.
    case quantityTooLarge
    /// A line beyond `PriceLine.largest`, or a step of its computation beyond 128 bits.
    case priceTooLarge
  }

  public let field: String
  public let reason: Reason
}

extension PricingError: CustomStringConvertible {
  public var description: String { "\(field): \(message)" }

  public var message: String {
    switch reason {
    case .unknownOperation: "unknown operation"
    case .unknownQuantity: "unknown quantity"
    case .missing: "missing"
    case .expected(let type): "must be \(type)"
    case .negative: "must not be negative"
    case .belowMinimum(let minimum): "must be at least \(minimum)"
    case .aboveMaximum(let maximum): "must be at most \(maximum)"
    case .unknownChoice(let choices): "must be one of \(choices.joined(separator: ", "))"
    case .quantityTooLarge: "quantity too large"
    case .priceTooLarge: "price too large"
    }
  }
}
