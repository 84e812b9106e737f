import UnixSignals

struct Interrupted: Error, CustomStringConvertible {
  let description = "interrupted"
}

/// Cancels `body` at a Ctrl-C or a SIGTERM, so that it can stop its servers on its way out.
func cancelledBySignals(_ body: @escaping @Sendable () async throws -> Void) async throws {
  try await withThrowingTaskGroup { group in
    group.addTask { try await body() }
    group.addTask {
      for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
        throw Interrupted()
      }
    }
    try await group.next()
    group.cancelAll()
  }
}
