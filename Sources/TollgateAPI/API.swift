import Foundation
import Hummingbird
import Telemetry
import Tollgate
import TollgateStore

/// The HTTP API of a worker: everything under `/v1/credits`, health and metrics.
public struct API: Sendable {
  let lanes: Lanes
  let readers: Readers
  let tenants: Tenants
  let keys: Keys
  let sessions: SessionTokens
  let deadlines: Deadlines
  /// The clock that tells the week of a reservation's key.
  let now: @Sendable () -> Date
  let requestMetrics: RequestMetrics
  let largeCalls = LargeCalls()
  private let readiness: Readiness
  private let metrics: MetricsRegistry

  public init(
    lanes: Lanes, readers: Readers, tenants: Tenants, readiness: Readiness,
    deadlines: Deadlines, now: @escaping @Sendable () -> Date, metrics: MetricsRegistry
  ) {
    self.lanes = lanes
    self.readers = readers
    self.tenants = tenants
    keys = Keys(readers: readers)
    sessions = SessionTokens(tenants: tenants)
    self.readiness = readiness
    self.deadlines = deadlines
    self.now = now
    self.metrics = metrics
    requestMetrics = RequestMetrics(metrics)
  }

  /// Everything but the ``Route``s, which the ``server(_:limits:logger:)`` answers itself.
  public func router() -> Router<APIRequestContext> {
    let router = Router(context: APIRequestContext.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: EnvelopeMiddleware(answers: requestMetrics.other))
    addHealth(to: router)
    router.get("metrics") { _, _ in metricsResponse }
    router.get("v1/credits/repositories/Reservation/by-id/{id}") { request, context in
      let deadline = ContinuousClock.now + deadlines.request
      let principal = try await principal(of: RequestHeaders(request.headers), until: deadline)
      guard principal.role == .service else { throw APIError.forbidden }
      let id = try context.parameters.require("id")
      return try await reservation(id: id, principal, until: deadline).response
    }
    return router
  }

  /// Of this worker alone, and nothing of any tenant, so anyone may read it.
  private var metricsResponse: Response {
    lanes.recordWaiting()
    return Response(
      status: .ok, headers: [.contentType: MetricsRegistry.contentType],
      body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.text)))
  }

  /// `live`: the process serves. `ready`: it reaches the database, so it may be given traffic.
  /// Anybody may ask, so neither is more than a look at what is known.
  private func addHealth(to router: Router<APIRequestContext>) {
    router.get("health/live") { _, _ in Reply(status: "live").response }
    router.get("health/ready") { _, _ in
      if let failure = readiness.failure { throw NotReady(reason: failure) }
      return Reply(status: "ready").response
    }
  }
}

/// What `/health/ready` says of a worker that does not reach its database.
struct NotReady: Error {
  let reason: StoreError
}

extension Reply {
  fileprivate init(status: String) {
    self.init { $0.object { $0.field("status", status) } }
  }
}
