import Foundation

/// The folder with the programs of one PostgreSQL version.
struct ServerBinaries: Sendable {
  let folder: String

  var initdb: String { path("initdb") }
  var pgCtl: String { path("pg_ctl") }
  var psql: String { path("psql") }

  private static let programs = ["initdb", "pg_ctl", "postgres", "psql"]

  private func path(_ program: String) -> String {
    (folder as NSString).appendingPathComponent(program)
  }

  /// Where to look when nothing else is said: the folder that TOLLGATE_POSTGRES_BIN names and no
  /// other, else Debian's folders, newest version first, then PATH.
  static var usualFolders: [String] {
    let named = ProcessInfo.processInfo.environment["TOLLGATE_POSTGRES_BIN"] ?? ""
    guard named.isEmpty else { return [named] }
    let debian = "/usr/lib/postgresql"
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: debian)) ?? []
    let newestFirst = versions.compactMap(Int.init).sorted(by: >)
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return newestFirst.map { "\(debian)/\($0)/bin" } + path.split(separator: ":").map(String.init)
  }

  /// All complete sets of programs in these folders, in the order given.
  static func find(in folders: [String]) throws(PrivatePostgresError) -> [ServerBinaries] {
    let found = folders.map { ServerBinaries(folder: $0) }.filter(\.isComplete)
    guard found.isEmpty else { return found }
    throw PrivatePostgresError(
      .noBinaries, "No PostgreSQL server programs found in \(folders.joined(separator: ", "))",
      advice: "Install the package `postgresql`, or put the folder with initdb on PATH")
  }

  private var isComplete: Bool {
    Self.programs.allSatisfy { FileManager.default.isExecutableFile(atPath: path($0)) }
  }

  /// The first set that can read data of this major version; any set will do for new data.
  static func choose(
    from candidates: [ServerBinaries], dataVersion: String?, command: Command
  ) async throws(PrivatePostgresError) -> ServerBinaries {
    guard let dataVersion else { return candidates[0] }
    for candidate in candidates {
      let version = try await command.run(candidate.path("postgres"), ["--version"]).text
      if majorVersion(version) == dataVersion { return candidate }
    }
    throw PrivatePostgresError(
      .wrongVersion, "The data was written by PostgreSQL \(dataVersion), which is not installed",
      advice: "Install the package `postgresql-\(dataVersion)`, or choose another folder")
  }

  /// `15` from `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)`.
  private static func majorVersion(_ text: String) -> String? {
    let numbers = text.split(separator: " ").map { $0.prefix { $0.isNumber } }
    return numbers.first { !$0.isEmpty }.map(String.init)
  }
}
