import Foundation

/// What `postmaster.pid` says about the server's process.
struct ServerProcess: Sendable {
  let id: pid_t
  /// Unknown in the first instants of a start.
  let port: Int?
  private let folder: ServerFolder

  init?(folder: ServerFolder) {
    guard let text = folder.read(folder.processFile) else { return nil }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let id = lines.first.flatMap({ pid_t($0) }), id > 0 else { return nil }
    self.id = id
    // Process, data folder, start time, port, socket folder, address, memory, state.
    self.port = lines.count > 3 ? Int(lines[3]) : nil
    self.folder = folder
  }

  /// Whether this process lives and is the server of this folder.
  ///
  /// After a reboot or in a new container the number may belong to any other program, and where
  /// nobody collects dead processes it may belong to a dead server for a long time.
  var isRunning: Bool {
    guard exists else { return false }
    guard let words = commandLine else { return true }
    return words.contains(folder.data)
  }

  fileprivate var exists: Bool {
    kill(id, 0) == 0 || errno == EPERM
  }

  /// Empty for a dead process, nil where the system does not tell.
  private var commandLine: [String]? {
    FileManager.default.contents(atPath: "/proc/\(id)/cmdline")?
      .split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
  }
}

extension ServerFolder {
  /// A number that no process can have.
  private static let nobody = "\(pid_t.max)"

  /// Clears what a killed server left behind, since a new one refuses to start for fear of a twin
  /// as long as the old number is in use by anyone. The caller made sure that no server runs.
  func clearTraces(for account: ServerAccount) throws(PrivatePostgresError) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for name in names where name.hasPrefix(".s.PGSQL.") { remove("\(path)/\(name)") }
    guard ServerProcess(folder: self)?.exists == true, let text = read(processFile) else { return }
    // Only the number is replaced. The key of the shared memory stays: with it the new server
    // finds the last processes of the old one, and is started again until they are gone.
    let others = text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
    let lines = [Self.nobody] + others.map(String.init)
    try write(lines.joined(separator: "\n"), to: processFile, for: account)
  }
}
