import Foundation
import Subprocess

/// Runs the tools of PostgreSQL as the user the server runs as.
struct Command: Sendable {
  /// How a child process becomes that user.
  enum Identity: Sendable, Equatable {
    /// It already is.
    case own
    case other(ServerAccount)
    /// Also allowed to pass through folders that are closed to it, and nothing more.
    case otherPassingFolders(ServerAccount)
  }

  struct Output: Sendable {
    let succeeded: Bool
    /// Standard output and standard error, in the order they came.
    let text: String
  }

  let identity: Identity

  /// - Throws: `startFailed` if the program cannot be run at all. A failure of the program itself
  ///   is a value.
  func run(
    _ program: String, _ arguments: [String], environment: [String: String] = [:]
  ) async throws(PrivatePostgresError) -> Output {
    let words = prefix + [program] + arguments
    do {
      let result = try await Subprocess.run(
        Executable(word: words[0]),
        arguments: Arguments(Array(words.dropFirst())),
        environment: .custom(Self.variables(adding: environment)),
        workingDirectory: .init("/"),
        platformOptions: platformOptions,
        output: .string(limit: 1 << 20),
        error: .combinedWithOutput)
      return Output(
        succeeded: result.terminationStatus.isSuccess,
        text: result.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines))
    } catch {
      throw PrivatePostgresError(
        .startFailed, "Cannot run \(program)",
        advice: "Check that it exists and may be executed", details: "\(error)")
    }
  }

  /// The caller's own variables stay out: PG… variables would change what the tools do, and
  /// secrets have no business in the environment of the server.
  private static func variables(adding extra: [String: String]) -> [Environment.Key: String] {
    var all: [Environment.Key: String] = ["LC_ALL": "C", "TZ": "UTC"]
    all["PATH"] = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    for (name, value) in extra { all[Environment.Key(stringLiteral: name)] = value }
    return all
  }

  /// `setpriv` changes the user, and not the library between its fork and its exec: there glibc
  /// waits for threads that the child does not have, and with a busy parent it waits for ever.
  private var prefix: [String] {
    switch identity {
    case .own: []
    case .other(let account): Self.setpriv(account)
    case .otherPassingFolders(let account):
      Self.setpriv(account) + ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    }
  }

  private static func setpriv(_ account: ServerAccount) -> [String] {
    [
      "setpriv", "--reuid", "\(account.userID)", "--regid", "\(account.groupID)", "--clear-groups",
    ]
  }

  /// A session of its own keeps a Ctrl-C of the terminal away from the child: our process gets it
  /// and decides when the server stops.
  private var platformOptions: PlatformOptions {
    var options = PlatformOptions()
    options.createSession = true
    return options
  }
}

extension Executable {
  /// A path if it looks like one, else a name to find on PATH.
  fileprivate init(word: String) {
    self = word.hasPrefix("/") ? .path(.init(word)) : .name(word)
  }
}
