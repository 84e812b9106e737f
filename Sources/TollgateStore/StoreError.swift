import Postgres

/// Why a command has no outcome. The description is safe to show.
public enum StoreError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The queue is full or the worker is stopping. Nothing happened.
  case overloaded
  /// Somebody else kept the account locked until the deadline. Nothing happened.
  case locked
  /// The database could not be reached or would not serve. Nothing happened.
  case unavailable
  /// The database answers and takes no writes, as a server does whose disk is full. Nothing
  /// happened.
  case readOnly
  /// No answer in time; it may or may not have happened. The same request may be repeated.
  case outcomeUnknown
  /// The database refused what we asked: a fault of ours. Nothing happened.
  case failed(PostgresError)

  public var description: String {
    switch self {
    case .overloaded: "overloaded"
    case .locked: "the account is locked"
    case .unavailable: "the database is unavailable"
    case .readOnly: "the database is read-only"
    case .outcomeUnknown: "the outcome is unknown"
    case .failed(let error): error.description
    }
  }
}

extension StoreError {
  /// Why a server could not serve, when nothing happened there.
  init(unserved error: PostgresError) { self = error.isReadOnly ? .readOnly : .unavailable }

  /// Whether it is the database that did not serve.
  var isUnserved: Bool { self == .unavailable || self == .readOnly }
}
