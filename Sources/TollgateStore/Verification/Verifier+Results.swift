import Postgres
import Tollgate

extension Verifier {
  public enum Mode: String, Sendable, CaseIterable {
    /// All accounts.
    case full
    /// The accounts that changed since the last run, and those in which something was found.
    case incremental
  }

  /// A run that is finished.
  public struct Run: Sendable {
    /// What was done, which is a full run when there is none to continue.
    public let mode: Mode
    /// When the run that this one continues began.
    public let since: Timestamp?
    /// How many accounts were looked at, in how many slices.
    public let accounts: Int64
    public let slices: Int64
    /// One per check, in the order of their names; of a run that was continued, what was found
    /// since.
    public let findings: [Finding]
    /// Whether nothing was found, also before it was continued.
    public let isClean: Bool
  }

  /// One check's result.
  public struct Finding: Sendable {
    /// The file's name.
    public let check: String
    /// The promise it proves: the first line of the file.
    public let promise: String
    /// The rows that break it, at most ``Verifier/limit``; a healthy database has none.
    public let violations: [Violation]
  }

  public struct Violation: Sendable, Equatable {
    public let tenant: TenantID?
    public let account: Int64?
    public let detail: String
  }

  /// How far a run has come.
  public struct Progress: Sendable {
    public let mode: Mode
    public let accounts: Int64
    public let slices: Int64
    /// Of the table with most of them in the last slice.
    public let rows: Int64
    /// From 0 to 1.
    public let part: Double
    /// How many rows break a promise, by the checks that found some in this slice first.
    public let broken: [String: Int64]
  }

  /// What came of looking for what is due.
  public enum Outcome: Sendable {
    /// Nothing is, or somebody else is at it.
    case nothing
    case finished(Run)
    /// A full run makes room for an incremental one.
    case paused
  }
}
