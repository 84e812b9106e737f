import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import Postgres
import ServiceLifecycle
import Telemetry
import TollgateAPI
import TollgateStore

/// A worker put together: the API, the lanes and the duties.
public struct Worker: Sendable {
  public struct Settings: Sendable {
    public var databaseURL: String
    public var host = "127.0.0.1"
    /// 0 for any.
    public var port = 0
    /// Connections that write; few commands share one.
    public var lanes = max(2, ProcessInfo.processInfo.activeProcessorCount)
    public var laneLimits = LaneLimits()
    public var deadlines = Deadlines()
    /// The clock that tells the week of a reservation's key.
    public var now: @Sendable () -> Date = { .now }
    /// Connections that read.
    public var readers = 2
    /// Connections of clients, and what each may cost.
    public var door = DoorLimits()
    /// From the signal to the end, in seconds: what was accepted is answered within it.
    public var stopSeconds = 8
    /// `nil`: this worker leaves it to others.
    public var verification: Verification?

    public init(databaseURL: String) { self.databaseURL = databaseURL }
  }

  /// One for two cores: the lanes need the rest, and a thread that runs need not be woken.
  private static let eventLoops = MultiThreadedEventLoopGroup(
    numberOfThreads: max(1, ProcessInfo.processInfo.activeProcessorCount / 2))

  public let settings: Settings
  private let logger: Logger

  public init(_ settings: Settings, logger: Logger) {
    self.settings = settings
    self.logger = logger
  }

  /// The services as one application. It stops in the opposite order of its start: first no new
  /// connections and the requests in flight finish, then lanes and readers drain.
  ///
  /// - Parameter onRunning: is told the port when requests can come.
  public func application(
    onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
  ) -> some ApplicationProtocol {
    let database = database
    let metrics = MetricsRegistry()
    let lanes = Lanes(
      database, count: settings.lanes, limits: settings.laneLimits,
      metrics: LaneMetrics(metrics), logger: logger)
    let readers = Readers(
      database, count: settings.readers, patience: settings.deadlines.request, logger: logger)
    let tenants = Tenants(readers: readers, logger: logger)
    let readiness = Readiness(database, logger: logger)
    let api = API(
      lanes: lanes, readers: readers, tenants: tenants, readiness: readiness,
      deadlines: settings.deadlines, now: settings.now, metrics: metrics)
    let responder = api.router().buildResponder()
    return Application(
      responder: responder, server: api.server(responder, limits: doorLimits, logger: logger),
      configuration: .init(
        address: .hostname(settings.host, port: settings.port), serverName: API.serverName,
        backlog: 1_024),
      services: [readers, lanes, tenants, readiness] + duties(metrics),
      onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) },
      eventLoopGroupProvider: .shared(Self.eventLoops), logger: logger)
  }

  private func duties(_ metrics: MetricsRegistry) -> [any Service] {
    let expiry = ExpiryDuty(database, metrics: metrics, logger: logger)
    let weeks = WeekDuty(database, logger: logger)
    guard let verification = settings.verification else { return [expiry, weeks] }
    let verify = VerifyDuty(
      databaseURL: settings.databaseURL, verification, metrics: metrics, logger: logger)
    return [expiry, weeks, verify]
  }

  /// Serves until SIGTERM or SIGINT, then stops gracefully, within the bound.
  public func run(onRunning: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
    var configuration = ServiceGroupConfiguration(
      services: [application(onRunning: onRunning)],
      gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(settings.stopSeconds)
    try await ServiceGroup(configuration: configuration).run()
  }

  /// No more connections than the process can have, and of a stop what the lanes do not need to end
  /// what is in them.
  private var doorLimits: DoorLimits {
    var limits = settings.door
    limits.connections = min(limits.connections, DescriptorLimit.roomForClients())
    let lanes = TimeAmount(settings.deadlines.request)
    limits.stop = max(.seconds(1), .seconds(Int64(settings.stopSeconds)) - lanes)
    return limits
  }

  /// Whatever the login may do, a worker may only execute the API functions.
  private var database: ConnectionConfiguration {
    var database = ConnectionConfiguration(url: settings.databaseURL)
    database.role = "tollgate_service"
    return database
  }
}
