/// What went wrong between us and PostgreSQL. The description is safe to log: it never carries
/// parameters, passwords or rows.
public struct PostgresError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: Sendable, Equatable {
    /// No connection could be made, or it broke before the statement was sent.
    case unreachable
    /// The deadline had passed before the statement was sent. Says nothing of the connection.
    case tooLate
    /// The connection was lost after the statement was sent: it may have been committed.
    case connectionLost
    /// No answer before the deadline; the connection was dropped. It may have been committed.
    case deadlineExceeded
    /// The server warned when it committed: a standby may not have it, and a failover lose it.
    case unconfirmed
    /// The server refused the statement with this SQLSTATE: it was rolled back, unless the class
    /// is 08, by which a pooler says that it lost the server.
    case server(sqlState: String)
    /// A result did not have the shape the caller expects.
    case unexpectedResult
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String {
    if case .server(let sqlState) = code { return "\(message) (SQLSTATE \(sqlState))" }
    return message
  }
}

extension PostgresError {
  static let tooLate = PostgresError(.tooLate, "the deadline had passed before it was sent")

  /// Whether the transaction may have been committed, and may not be there to stay.
  public var isOutcomeUnknown: Bool {
    switch code {
    case .connectionLost, .deadlineExceeded, .unconfirmed: true
    case .server(let sqlState): sqlState.hasPrefix("08")
    case .unreachable, .tooLate, .unexpectedResult: false
    }
  }

  /// Whether the server rolled back for a passing reason: deadlock, serialization, lock timeout,
  /// statement timeout.
  public var isTransient: Bool {
    if case .server(let sqlState) = code {
      return ["40P01", "40001", "55P03", "57014"].contains(sqlState)
    }
    return false
  }

  /// Whether this server cannot serve us now (shutting down, starting, read-only, too many
  /// clients), so that the connection is worth replacing. What it refused was rolled back.
  public var isServerUnavailable: Bool {
    if case .server(let sqlState) = code {
      return sqlState.hasPrefix("57P0") || sqlState.hasPrefix("53") || sqlState == "25006"
    }
    return code == .unreachable
  }
}
