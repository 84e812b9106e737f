import Foundation

/// Why a private server could not be created, started or stopped.
///
/// The description names the cause and what to do about it. It holds no password and no row data,
/// so it is safe to log and to show.
public struct PrivatePostgresError: Error, Sendable, CustomStringConvertible {
  public enum Code: String, Sendable {
    /// No folder with `initdb`, `pg_ctl`, `postgres` and `psql` was found.
    case noBinaries
    /// The data was written by a major version of PostgreSQL that is not installed.
    case wrongVersion
    /// Another living process holds the folder.
    case folderInUse
    /// The folder holds something else than a private server, or lacks a part of one.
    case foreignFolder
    /// A file cannot be created, read or written by this user.
    case permission
    /// The server's user cannot reach the folder through the folders above it.
    case unreachable
    case initializationFailed
    case startFailed
    case stopFailed
  }

  public let code: Code
  /// What happened.
  public let reason: String
  /// What the reader can do about it.
  public let advice: String
  /// The last lines of the server's log or of a tool's output, if there are any.
  public let details: String

  init(_ code: Code, _ reason: String, advice: String, details: String = "") {
    self.code = code
    self.reason = reason
    self.advice = advice
    self.details = details
  }

  public var description: String {
    let summary = "\(reason). \(advice)."
    return details.isEmpty ? summary : "\(summary)\n\(details)"
  }
}

extension PrivatePostgresError {
  static func permission(_ action: String, _ path: String, errno code: Int32) -> Self {
    Self(
      .permission, "Cannot \(action) \(path): \(String(cString: strerror(code)))",
      advice: "Run as the owner of that folder, or choose another folder for the data")
  }
}
