import Foundation
import Logging
import Postgres

/// Runs the checks of `sql/checks`: each is a query that returns the rows which break a promise.
///
/// A run goes through the accounts in slices, each of which is copied under one snapshot and then
/// checked. It disturbs nothing but by the work it does: on one core, within little memory, with no
/// snapshot that lasts longer than a statement, and it waits for no lock of the ledger.
public struct Verifier: Sendable {
  public static let limit = 100

  let connection: Connection
  let folder: SQLFolder
  let limits: VerificationLimits

  /// - Parameter url: a login that is a member of `tollgate_verifier`.
  public init(
    url: String, folder: SQLFolder, limits: VerificationLimits = .init(), logger: Logger
  ) {
    var configuration = ConnectionConfiguration(url: url)
    configuration.role = "tollgate_verifier"
    configuration.statementTimeout = limits.statementTimeout
    connection = Connection(configuration, name: "verifier", logger: logger)
    self.folder = folder
    self.limits = limits
  }

  /// Runs all checks and records the run, also when it fails or is cancelled. Any number may run at
  /// once; a cancelled one ends after the statement it is at, and is not continued.
  ///
  /// - Parameter onProgress: is told after each slice.
  public func run(
    _ mode: Mode = .full, onProgress: @Sendable (Progress) -> Void = { _ in }
  ) async throws -> Run {
    try await inSession {
      let base =
        mode == .full ? nil : try await connection.verificationBase(until: deadline)
      let turn = try await begin(base, isShared: false)
      guard let run = try await go(turn, onProgress: onProgress) else { throw CancellationError() }
      return run
    }
  }

  /// Does what is due by all workers together: an incremental run every `interval`, and a full one
  /// once a day, which goes on where another worker or a failure left it, and makes room for the
  /// incremental ones.
  ///
  /// - Parameter last: what this worker did just before. After an incremental run it is a full
  ///   one's turn, if there is one.
  public func runIfDue(
    every interval: Duration, after last: Mode? = nil,
    onProgress: @Sendable (Progress) -> Void = { _ in }
  ) async throws -> Outcome {
    try await alone {
      try await connection.abandonVerifications(until: deadline)
      let base = try await connection.verificationBase(until: deadline)
      let schedule = try await connection.verificationSchedule(
        every: interval, base: base, until: deadline)
      if schedule.wantsIncremental, last != .incremental || !schedule.wantsFull {
        let turn = try await begin(base, isShared: true)
        return try await go(turn, onProgress: onProgress).map { .finished($0) } ?? .nothing
      }
      if !schedule.wantsFull { return .nothing }
      let unfinished = try await connection.unfinishedVerification(until: deadline)
      let turn = try await begin(nil, isShared: true, unfinished)
      let pause = base.map { _ in ContinuousClock.now + max(schedule.rest, interval / 20) }
      return try await go(turn, pause: pause, onProgress: onProgress).map { .finished($0) }
        ?? .paused
    }
  }

  /// The last run of each mode, and the last one of each that is finished; the latest first.
  public func lastRuns() async throws -> [RecordedRun] {
    try await inSession { try await connection.lastVerifications(until: deadline) }
  }

  /// With the lock of all workers, which is given back before the session ends: the next look, of
  /// this worker or another, must not come before the server has noticed that.
  private func alone(_ body: () async throws -> Outcome) async throws -> Outcome {
    try await inSession {
      guard try await connection.lockVerification(until: deadline) else { return .nothing }
      let outcome: Result<Outcome, any Error>
      do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
      try? await connection.unlockVerification(until: deadline)
      return try outcome.get()
    }
  }

  /// A session of its own, which takes the lock and what is temporary with it when it ends.
  private func inSession<T>(_ body: () async throws -> T) async throws -> T {
    do {
      let result = try await body()
      await connection.disconnect()
      return result
    } catch {
      await connection.disconnect()
      throw error
    }
  }

  var deadline: ContinuousClock.Instant { .now + limits.statementTimeout + .seconds(5) }
}
