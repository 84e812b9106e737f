/// How much a verification looks at at once.
public struct VerificationLimits: Sendable {
  /// Accounts of a slice.
  public var accounts: Int64 = 25_000
  /// Rows of a slice in each other table. An account with more is cut itself.
  public var rows: Int64 = 25_000
  /// What takes longer is tried again with less.
  public var statementTimeout = Duration.seconds(10)

  public init() {}
}

/// How large the next slice may be: within the limits, and such that a statement takes about a
/// second at most, on whatever machine.
struct SliceSize {
  private static let smallest: Int64 = 500
  private static let short = Duration.milliseconds(500)
  private static let long = Duration.seconds(2)

  private let limits: VerificationLimits
  private var divisor: Int64 = 1

  init(_ limits: VerificationLimits) { self.limits = limits }

  var accounts: Int64 { part(of: limits.accounts) }
  var rows: Int64 { part(of: limits.rows) }

  /// - Parameter longest: what the longest statement of a slice of this size took.
  mutating func took(_ longest: Duration) {
    if longest > Self.long, canShrink { divisor *= 2 }
    if longest < Self.short, divisor > 1 { divisor /= 2 }
  }

  /// A slice of this size took too long. Returns whether a smaller one can be tried.
  mutating func timedOut() -> Bool {
    guard canShrink else { return false }
    divisor *= 4
    return true
  }

  private var canShrink: Bool { max(limits.accounts, limits.rows) / divisor > Self.smallest }

  private func part(of limit: Int64) -> Int64 { max(limit / divisor, min(limit, Self.smallest)) }
}
