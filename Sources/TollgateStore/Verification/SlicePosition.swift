/// Where a verification goes on. Accounts are looked at by their ids, in ascending order.
struct SlicePosition: Sendable, Equatable {
  static let start = SlicePosition(account: .min)

  /// The next account.
  var account: Int64
  /// The next part of it, when it is a large one: ``LargeAccount/Pass`` and the first 32 bits of
  /// the next keys.
  var part: Int64 = 0
}

/// What a slice had and showed.
struct Slice: Sendable {
  var accounts: Int64 = 0
  /// Of the table with most of them.
  var rows: Int64 = 0
  /// By check; those that found nothing are left out.
  var violations: [String: [Verifier.Violation]] = [:]
  /// `nil` when it was the last one.
  var next: SlicePosition?

  mutating func add(_ found: [String: [Verifier.Violation]]) {
    violations.merge(found) { Array(($0 + $1).prefix(Verifier.limit)) }
  }
}
