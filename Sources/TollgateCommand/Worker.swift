import Hummingbird
import Logging
import Postgres
import ServiceLifecycle
import TollgateAPI
import TollgateStore
import TollgateWorkers

/// A worker put together: API, lanes and duties as one group of services.
struct Worker {
  let databaseURL: String
  let host: String
  let port: Int
  let lanes: Int
  let readers: Int
  let logger: Logger

  /// `databaseURL`: nil for the one of the settings.
  init(_ settings: Settings, databaseURL: String? = nil) throws {
    self.databaseURL = try databaseURL ?? settings.databaseURL
    host = settings.host
    port = try settings.port
    lanes = try settings.lanes
    readers = try settings.readers
    logger = settings.logger
  }

  /// Serves until SIGTERM or SIGINT: then no new connections, requests in flight finish, lanes
  /// drain. `onRunning` is told the port when requests can come.
  func run(onRunning: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
    var database = ConnectionConfiguration(url: databaseURL)
    // Whatever the login may do, a worker may only execute the API functions.
    database.role = "tollgate_service"
    let lanes = Lanes(database, count: lanes, logger: logger)
    let readers = Readers(database, count: readers, logger: logger)
    let tenants = Tenants(readers: readers, logger: logger)
    let app = Application(
      router: API(lanes: lanes, readers: readers, tenants: tenants).router(),
      configuration: .init(address: .hostname(host, port: port), serverName: "tollgate"),
      services: [lanes, tenants, ExpiryDuty(database, logger: logger)],
      onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) },
      logger: logger)
    try await ServiceGroup(
      configuration: .init(
        services: [app], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    ).run()
  }
}
