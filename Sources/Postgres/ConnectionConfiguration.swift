import Foundation

/// How to reach PostgreSQL, and the limits every connection lives under.
public struct ConnectionConfiguration: Sendable {
  /// A libpq connection string or URL; may name several hosts.
  public var url: String
  /// The role to act as, which may be less than what the login can do.
  public var role: String?
  public var connectTimeout: Duration = .seconds(3)
  /// A lock is waited for this long, a statement runs this long.
  public var lockTimeout: Duration = .milliseconds(400)
  public var statementTimeout: Duration = .seconds(2)

  public init(url: String) { self.url = url }
}

extension ConnectionConfiguration {
  /// libpq's keywords; what the URL says wins over none of them but the host, user and the like.
  private var parameters: [(String, String)] {
    [
      ("dbname", url),
      ("application_name", "tollgate"),
      ("client_encoding", "UTF8"),
      ("connect_timeout", String(max(2, Int(connectTimeout / .seconds(1))))),
      ("target_session_attrs", "read-write"),
      ("keepalives_idle", "5"),
      ("keepalives_interval", "2"),
      ("keepalives_count", "3"),
      ("tcp_user_timeout", "5000"),
      ("options", options),
    ]
  }

  private var options: String {
    let role = role.map { [("role", $0)] } ?? []
    // A backslash keeps a space within a value.
    return (role + settings).map { "-c \($0)=\($1.replacing(" ", with: "\\ "))" }
      .joined(separator: " ")
  }

  /// Calls `body` with libpq's NULL-terminated arrays of keywords and values.
  func withParameters<R>(
    _ body: ([UnsafePointer<CChar>?], [UnsafePointer<CChar>?]) -> R
  ) -> R {
    let parameters = self.parameters
    let keywords = parameters.map { strdup($0.0) }
    let values = parameters.map { strdup($0.1) }
    defer { for text in keywords + values { free(text) } }
    return body(
      keywords.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil])
  }
}
