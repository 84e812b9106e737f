extension ReferenceLedger {
  public enum State: String, Sendable {
    case reserved, captured, released, expired
  }

  public enum Outcome: Sendable, Hashable {
    case held(prices: [Price], available: Int64, expiresAt: Int64)
    case insufficient(available: Int64)
    case closed(Closing)
    case extended(lines: [HeldLine], available: Int64, expiresAt: Int64)
    case insufficientForMore(more: Int64, available: Int64)
    case granted(amount: Int64, balance: Int64, available: Int64, entry: Int64)
    /// How many reservations an expiry ended.
    case ended(Int64)
    case mismatch
    case notFound
    case alreadyClosed(State)
    case expired
    case unknownComponent
    case belowCaptured
  }

  /// What a capture or release did.
  public struct Closing: Sendable, Hashable {
    public struct Line: Sendable, Hashable {
      public let component: String
      public let charged: Int64
      public let captured: Int64
      public let held: Int64

      public init(component: String, charged: Int64, captured: Int64, held: Int64) {
        self.component = component
        self.charged = charged
        self.captured = captured
        self.held = held
      }
    }

    public let state: State
    public let available: Int64
    public let isCapped: Bool
    public let lines: [Line]

    public init(state: State, available: Int64, isCapped: Bool, lines: [Line]) {
      self.state = state
      self.available = available
      self.isCapped = isCapped
      self.lines = lines
    }
  }

  /// One component of a reservation.
  public struct HeldLine: Sendable, Hashable {
    public let component: String
    public var captured: Int64
    public var held: Int64

    public init(component: String, captured: Int64, held: Int64) {
      self.component = component
      self.captured = captured
      self.held = held
    }

    var rest: Int64 { held - captured }
  }
}
