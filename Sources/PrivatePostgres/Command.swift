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

  private var prefix: [String] {
    guard case .otherPassingFolders(let account) = identity else { return [] }
    return [
      "setpriv", "--reuid", "\(account.userID)", "--regid", "\(account.groupID)", "--clear-groups",
      "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
    ]
  }

  /// A session of its own keeps a Ctrl-C of the terminal away from the child: our process gets it
  /// and decides when the server stops.
  private var platformOptions: PlatformOptions {
    var options = PlatformOptions()
    options.createSession = true
    if case .other(let account) = identity {
      options.userID = account.userID
      options.groupID = account.groupID
      options.supplementaryGroups = []
    }
    return options
  }
}

extension Executable {
  /// A path if it looks like one, else a name to find on PATH.
  fileprivate init(word: String) {
    self = word.hasPrefix("/") ? .path(.init(word)) : .name(word)
  }
}
