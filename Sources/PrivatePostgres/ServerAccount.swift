import Foundation

/// The operating system user that owns the data and runs the server.
struct ServerAccount: Sendable, Equatable {
  let name: String
  let userID: uid_t
  let groupID: gid_t

  static var current: ServerAccount {
    find(userID: geteuid())
      ?? ServerAccount(name: "\(geteuid())", userID: geteuid(), groupID: getegid())
  }

  /// The server refuses to run as root. Root uses the user who owns the data already there, else
  /// `postgres`, which the server's package creates, else `nobody`.
  static func forServer(dataOwner: uid_t?) -> ServerAccount {
    guard geteuid() == 0 else { return current }
    if let dataOwner, dataOwner != 0 {
      return find(userID: dataOwner)
        ?? ServerAccount(name: "\(dataOwner)", userID: dataOwner, groupID: dataOwner)
    }
    return find(name: "postgres") ?? find(name: "nobody")
      ?? ServerAccount(name: "nobody", userID: 65534, groupID: 65534)
  }

  static func find(name: String) -> ServerAccount? {
    look { getpwnam_r(name, $0, $1, $2, $3) }
  }

  static func find(userID: uid_t) -> ServerAccount? {
    look { getpwuid_r(userID, $0, $1, $2, $3) }
  }

  private typealias Lookup = (
    UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
    UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
  ) -> Int32

  /// The re-entrant look-ups: servers of several folders may be started at the same time.
  private static func look(_ lookup: Lookup) -> ServerAccount? {
    var buffer = [CChar](repeating: 0, count: 16_384)
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    guard lookup(&entry, &buffer, buffer.count, &found) == 0, let found else { return nil }
    return ServerAccount(
      name: String(cString: found.pointee.pw_name),
      userID: found.pointee.pw_uid,
      groupID: found.pointee.pw_gid)
  }
}

extension Command {
  /// A command that runs as `account` and can enter `folder`.
  ///
  /// A folder below one that only root may enter, such as a fresh temporary folder of root, is
  /// reached with the one capability that lets a process pass through closed folders.
  static func reaching(
    _ folder: String, as account: ServerAccount
  ) async throws(PrivatePostgresError) -> Command {
    guard account.userID != geteuid() else { return Command(identity: .own) }
    let identities: [Identity] = [.other(account), .otherPassingFolders(account)]
    for identity in identities {
      let command = Command(identity: identity)
      if try await command.canEnter(folder) { return command }
    }
    throw try await Command(identity: .other(account)).unreachable(folder, account)
  }

  private func canEnter(_ folder: String) async throws(PrivatePostgresError) -> Bool {
    do throws(PrivatePostgresError) {
      // Not `test -x`: that asks for the rights of the user alone and overlooks the capability.
      return try await run("test", ["-d", "\(folder)/."]).succeeded
    } catch {
      // No setpriv here: the same as a setpriv that is not allowed to hand on a capability.
      if case .otherPassingFolders = identity { return false }
      throw error
    }
  }

  private func unreachable(
    _ folder: String, _ account: ServerAccount
  ) async throws(PrivatePostgresError) -> PrivatePostgresError {
    var closed = "/"
    for part in (folder as NSString).pathComponents.dropFirst() {
      closed = (closed as NSString).appendingPathComponent(part)
      guard try await canEnter(closed) else { break }
    }
    return PrivatePostgresError(
      .unreachable, "User \(account.name), who runs the server, cannot enter \(closed)",
      advice: "Open it with `chmod o+x \(closed)`, or choose another folder with DATA=…")
  }
}
