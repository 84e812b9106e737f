import Foundation
import Testing

/// The login of a worker behind a pooler that drops its settings, as `docs/configuration.md` tells
/// to make it.
public struct PooledLogin: Sendable {
  /// The SQL that makes the login `worker` with the password `…`.
  private let sql: String

  public static func documented() throws -> PooledLogin {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let file = tests.appendingPathComponent("../../docs/configuration.md")
    let parts = try String(contentsOf: file, encoding: .utf8)
      .components(separatedBy: "\n## Behind PgBouncer\n")
    let blocks = try #require(parts.last).components(separatedBy: "\n```")
    let block = try #require(blocks.first { $0.hasPrefix("sql\nCREATE ROLE worker ") })
    return PooledLogin(sql: String(block.dropFirst("sql\n".count)))
  }

  func script(_ login: String, password: String) -> String {
    sql.replacing("ROLE worker ", with: "ROLE \(login) ").replacing("…", with: password)
  }

  /// `name=value` of each setting, in the order of the lines.
  public var settings: [String] {
    sql.split(separator: "\n").compactMap { line -> String? in
      guard let setting = line.dropPrefix("ALTER ROLE worker SET ") else { return nil }
      let text = setting.hasSuffix(";") ? setting.dropLast() : setting
      return String(text).replacing("'", with: "").replacing(" = ", with: "=")
    }
  }
}

extension Substring {
  /// What follows `prefix`; `nil` when the text does not begin with it.
  fileprivate func dropPrefix(_ prefix: String) -> Substring? {
    hasPrefix(prefix) ? dropFirst(prefix.count) : nil
  }
}
