import Foundation
import Postgres
import Tollgate

/// A run of the checks on its way, as `tollgate_data.verifications` keeps it.
struct VerificationRun: Sendable {
  /// More accounts with findings than these are not listed.
  private static let listed = 10_000

  let id: Int64
  let mode: Verifier.Mode
  let since: Timestamp?
  /// `nil` when all is done.
  var position: SlicePosition?
  var accounts: Int64 = 0
  var slices: Int64 = 0
  /// How many rows break a promise, by check; counted up to ``Verifier/limit``.
  var violations: [String: Int64] = [:]
  /// The accounts these belong to; `nil` when they are not all known.
  var brokenAccounts: Set<Int64>? = []

  var isClean: Bool { violations.values.allSatisfy { $0 == 0 } }

  /// How much of it is done, from 0 to 1: ids of accounts are spread evenly.
  var progress: Double { Self.progress(next: position?.account) }

  static func progress(next account: Int64?) -> Double {
    guard let account else { return 1 }
    return Double(max(account, 0)) / Double(Int64.max)
  }

  mutating func add(_ slice: Slice) {
    position = slice.next
    accounts += slice.accounts
    slices += 1
    for (check, found) in slice.violations {
      let limit = Int64(Verifier.limit)
      violations[check] = min(violations[check, default: 0] + Int64(found.count), limit)
      list(found)
    }
  }

  /// A finding without an account is one of several that have theirs.
  private mutating func list(_ found: [Verifier.Violation]) {
    brokenAccounts?.formUnion(found.compactMap(\.account))
    if found.count >= Verifier.limit || brokenAccounts?.count ?? 0 > Self.listed {
      brokenAccounts = nil
    }
  }
}

/// The run that an incremental one continues.
struct VerificationBase: Sendable {
  let startedAt: Timestamp
  /// Transactions from this one on may not have been seen by it.
  let horizon: Int64
  /// What was found there, and is to be looked at again.
  let brokenAccounts: [Int64]
}

/// A run as it was kept.
public struct RecordedRun: Sendable {
  public enum State: String, Sendable, CaseIterable {
    case running, finished, stopped, failed
  }

  public let mode: Verifier.Mode
  public let state: State
  public let startedAt: Timestamp
  public let accounts: Int64
  /// How many rows break a promise, by check; counted up to ``Verifier/limit``.
  public let violations: [String: Int64]
  /// From 0 to 1.
  public let progress: Double
  /// Whether what it found is not looked at again by a later run that is finished.
  public let stands: Bool
  /// Why it failed last.
  public let error: String?
}
