import ArgumentParser
import UnixSignals

/// Cancels `body` at a Ctrl-C or a SIGTERM and waits until it has ended; the command's exit code is
/// then 128 and the signal's number, as of any command.
func cancelledBySignals<T: Sendable>(
  _ body: @escaping @Sendable () async throws -> T
) async throws -> T {
  try await withThrowingTaskGroup(of: T.self) { group in
    group.addTask { try await body() }
    group.addTask {
      for await signal in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
        throw ExitCode(signal == .sigint ? 130 : 143)
      }
      throw CancellationError()
    }
    defer { group.cancelAll() }
    guard let result = try await group.next() else { throw CancellationError() }
    return result
  }
}
