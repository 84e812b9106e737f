import Foundation
import Subprocess

/// The commands of this project, beside each other where they were built.
enum Programs {
  private static let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()

  static let bench = own.path
  static let tollgate = own.deletingLastPathComponent().appendingPathComponent("tollgate").path

  /// Fails when `tollgate verify` finds a broken promise.
  static func verify(_ gate: Gate) async throws {
    let result = try await Subprocess.run(
      .path(.init(tollgate)), arguments: ["verify", "--database", gate.url],
      output: .string(limit: 1 << 20), error: .combinedWithOutput)
    guard result.terminationStatus.isSuccess else {
      throw BenchFailure("tollgate verify:\n\(result.standardOutput)")
    }
  }
}
