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
  var isRunning: Bool { exists && !isForeign }

  /// After a reboot, or in a new container, the number may belong to any other program. The server
  /// itself would then refuse to start for fear of a twin.
  func removeIfForeign() {
    if exists && isForeign { folder.remove(folder.processFile) }
  }

  private var exists: Bool {
    kill(id, 0) == 0 || errno == EPERM
  }

  /// False also where the system does not show the command lines of other users' processes.
  private var isForeign: Bool {
    guard let bytes = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") else {
      return false
    }
    let words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    return !words.contains(folder.data)
  }
}
