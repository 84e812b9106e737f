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
/// after it was lost; a lost or doubtful connection is never used twice.
public actor Connection {
  public nonisolated let executor: ThreadExecutor
  private let configuration: ConnectionConfiguration
  private let logger: Logger
  private var session: Session?

  public init(_ configuration: ConnectionConfiguration, name: String, logger: Logger) {
    self.configuration = configuration
    self.logger = logger
    executor = ThreadExecutor(name: name)
  }

  deinit { executor.stop() }

  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    executor.asUnownedSerialExecutor()
  }

  /// Executes one statement, which is one transaction, and decodes its rows.
  public func execute<T: Sendable>(
    _ statement: Statement, _ parameters: [Parameter], until deadline: ContinuousClock.Instant,
    decode: @Sendable (inout Row) throws(PostgresError) -> T
  ) throws(PostgresError) -> [T] {
    try connected { (session) throws(PostgresError) in
      try session.execute(statement, parameters, until: deadline, decode: decode)
    }
  }

  /// Executes a script without parameters. In an explicit transaction block it must end with
  /// COMMIT; a block that is left open ends the connection.
  public func execute(
    script: String, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) {
    try connected { (session) throws(PostgresError) in
      try session.execute(script: script, until: deadline)
    }
  }

  /// Connects now rather than at first use.
  public func connect() throws(PostgresError) {
    try connected { (_) throws(PostgresError) in }
  }

  public func disconnect() { session = nil }

  private func connected<T>(
    _ body: (inout Session) throws(PostgresError) -> T
  ) throws(PostgresError) -> T {
    var session = try take()
    do {
      let result = try body(&session)
      if session.isIdle { self.session = consume session }
      return result
    } catch {
      let isUsable = session.isIdle && !error.isOutcomeUnknown && !error.isServerUnavailable
      if isUsable { self.session = consume session }
      throw error
    }
  }

  private func take() throws(PostgresError) -> Session {
    if let session = self.session.take() {
      return session
    }
    logger.debug("connecting to PostgreSQL")
    return try Session.open(configuration, until: .now + configuration.connectTimeout)
  }
}
