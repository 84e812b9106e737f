import Foundation

/// Keeps a second process from starting, adopting or stopping the server of the same folder.
///
/// The operating system frees the lock when its holder dies, however it dies: that is what lets
/// a later run adopt a server whose run was killed.
final class FolderLock: Sendable {
  private let descriptor: Int32

  private init(descriptor: Int32) {
    self.descriptor = descriptor
  }

  deinit {
    close(descriptor)
  }

  /// Waits `patience` for an earlier holder that is just ending.
  static func acquire(
    _ path: String, patience: Duration = .seconds(3)
  ) async throws(PrivatePostgresError) -> FolderLock {
    // Close-on-exec, or the server would inherit the lock and outlive us with it.
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .permission("open", path, errno: errno) }
    let lock = FolderLock(descriptor: descriptor)
    let deadline = ContinuousClock.now + patience
    while !lock.take() {
      guard ContinuousClock.now < deadline else { throw lock.inUse(path) }
      try? await Task.sleep(for: .milliseconds(50))
    }
    lock.writeHolder()
    return lock
  }

  /// Lets the next process have the folder. Doing it twice is fine.
  func release() {
    flock(descriptor, LOCK_UN)
  }

  private func take() -> Bool {
    flock(descriptor, LOCK_EX | LOCK_NB) == 0
  }

  private func writeHolder() {
    let holder = Array("\(getpid())\n".utf8)
    ftruncate(descriptor, 0)
    pwrite(descriptor, holder, holder.count, 0)
  }

  private func inUse(_ path: String) -> PrivatePostgresError {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = max(0, pread(descriptor, &bytes, bytes.count, 0))
    let holder = String(decoding: bytes[..<count].prefix { $0 != 0x0A }, as: UTF8.self)
    let folder = (path as NSString).deletingLastPathComponent
    return PrivatePostgresError(
      .folderInUse, "Process \(holder) uses the server in \(folder)",
      advice: "Stop that process, or choose another folder for the data")
  }
}
