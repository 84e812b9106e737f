import Postgres
import ServiceLifecycle
import TollgateWorkers

/// Runs `body` with the port of a worker of its own and with what makes it stop gracefully. Returns
/// when the worker has stopped.
public func withStoppableWorker(
  _ databaseURL: String, _ change: (inout Worker.Settings) -> Void = { _ in },
  _ body:
    @escaping @Sendable (_ port: Int, _ stop: @escaping @Sendable () -> Void) async throws
    -> Void
) async throws {
  var settings = Worker.Settings(databaseURL: TestServer.loginURL(databaseURL))
  change(&settings)
  let (ports, port) = AsyncStream<Int>.makeStream()
  let worker = Worker(settings, logger: TestServer.logger)
  let services = ServiceGroup(
    services: [worker.application { port.yield($0) }], logger: TestServer.logger)
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await services.run() }
    for await port in ports.prefix(1) {
      let result = await Result {
        try await body(port) { Task { await services.triggerGracefulShutdown() } }
      }
      await services.triggerGracefulShutdown()
      try result.get()
    }
    try await group.waitForAll()
  }
}
