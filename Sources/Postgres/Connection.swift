import Foundation
import Logging

/// A statement that is prepared under its name once per connection.
public struct Statement: Sendable {
  public let name: String
  public let sql: String

  public init(name: String, sql: String) {
    self.name = name
    self.sql = sql
  }
}

/// A connection to PostgreSQL on a thread of its own. Connects when it is first used, and again
/// after it was lost, at most once at a time and with a pause between attempts that fail; a lost or
/// doubtful connection is never used twice.
public actor Connection {
  public nonisolated let executor: ThreadExecutor
  private let configuration: ConnectionConfiguration
  private let logger: Logger
  /// The one that could be reached last comes first.
  private var hosts: [ConnectionConfiguration]
  private var session: Session?
  private var pause = ConnectionPause()
  /// Why the server would not serve when it was last asked; `nil` when it did.
  private var refusal: PostgresError?

  public init(_ configuration: ConnectionConfiguration, name: String, logger: Logger) {
    self.configuration = configuration
    self.logger = logger
    hosts = configuration.byHost
    executor = ThreadExecutor(name: name)
  }

  deinit { executor.stop() }

  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    executor.asUnownedSerialExecutor()
  }

  /// Executes one statement, which is one transaction, and decodes its rows.
  ///
  /// Nothing is sent once the deadline has passed, and the connection is kept: see
  /// ``PostgresError/Code/tooLate``.
  public func execute<T: Sendable>(
    _ statement: Statement, _ parameters: [Parameter], until deadline: ContinuousClock.Instant,
    decode: @Sendable (inout Row) throws(PostgresError) -> T
  ) throws(PostgresError) -> [T] {
    try connected(until: deadline) { (session) throws(PostgresError) in
      try session.execute(statement, parameters, until: deadline, decode: decode)
    }
  }

  /// Executes a script without parameters. In an explicit transaction block it must end with
  /// COMMIT; a block that is left open ends the connection.
  public func execute(
    script: String, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) {
    try connected(until: deadline) { (session) throws(PostgresError) in
      try session.execute(script: script, until: deadline)
    }
  }

  /// Connects now rather than at first use.
  public func connect() throws(PostgresError) {
    try connect(until: .now + configuration.connectTimeout)
  }

  /// Connects, unless it is connected, as far as is known.
  public func connect(until deadline: ContinuousClock.Instant) throws(PostgresError) {
    session = try take(until: deadline)
  }

  public func disconnect() { session = nil }

  private func connected<T>(
    until deadline: ContinuousClock.Instant,
    _ body: (inout Session) throws(PostgresError) -> T
  ) throws(PostgresError) -> T {
    var session = try take(until: deadline)
    do {
      let result = try body(&session)
      if session.isIdle { self.session = consume session }
      pause.succeeded()
      return result
    } catch {
      let isUsable = session.isIdle && !error.isOutcomeUnknown && !error.isServerUnavailable
      if isUsable { self.session = consume session } else { pause.failed(at: .now) }
      if error.isServerUnavailable { refusal = error }
      throw error
    }
  }
}

extension Connection {
  private func take(until deadline: ContinuousClock.Instant) throws(PostgresError) -> Session {
    if let session = self.session.take() {
      return session
    }
    try waitForAttempt(until: deadline)
    do {
      let session = try connectToAny(until: min(deadline, .now + configuration.connectTimeout))
      refusal = nil
      return session
    } catch {
      pause.failed(at: .now)
      refusal = error
      throw error
    }
  }

  /// Tries each host once, with an equal share of the time that is left.
  private func connectToAny(
    until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> Session {
    logger.debug("connecting to PostgreSQL")
    var failure = PostgresError(.unreachable, "no host")
    for index in hosts.indices {
      let now = ContinuousClock.now
      let share = now.duration(to: deadline) / (hosts.count - index)
      do {
        let session = try Session.open(hosts[index], until: now + share)
        if index > 0 { hosts.insert(hosts.remove(at: index), at: 0) }
        return session
      } catch {
        if !failure.isReadOnly { failure = error }
      }
    }
    throw failure
  }

  /// Blocks, which this thread is for.
  private func waitForAttempt(until deadline: ContinuousClock.Instant) throws(PostgresError) {
    let now = ContinuousClock.now
    if deadline <= now { throw .tooLate }
    guard let begin = pause.end, begin > now else { return }
    // Whoever has so little time is not let wait for nothing.
    if begin >= deadline {
      throw refusal ?? PostgresError(.unreachable, "the connection was lost a moment ago")
    }
    Thread.sleep(forTimeInterval: now.duration(to: begin) / .seconds(1))
  }
}
