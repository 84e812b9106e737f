import Failpoints
import Logging
import NIOCore
import Tollgate
import TollgateStore

/// A request that has all come, of a caller who may make it.
struct RoutedCall: Sendable {
  let route: Route
  let principal: Principal
  let headers: RequestHeaders
  let body: ByteBuffer
  /// Held for as long as the body is.
  let room: BodyRoom.Share?
  let requestID: String
  let logger: Logger
  /// How long it took to find out who the caller is.
  let waited: Duration

  /// Longer bodies, in bytes, are parsed and priced away from the event loop, which other
  /// connections wait for. That takes 40 to 60 ns a byte, so this one takes about 0.2 ms, ten times
  /// what it costs to change threads.
  private static let smallBody = 4 << 10

  fileprivate var isSmall: Bool { body.readableBytes <= Self.smallBody }
}

extension API {
  /// Has a request answered; `done` is called once, on `eventLoop`.
  ///
  /// A small one begins on the event loop, and stays there up to the lane unless something has to
  /// be read from the database first: switching threads costs more than all the rest of a request.
  func run(
    _ call: RoutedCall, on eventLoop: any EventLoop,
    _ done: @escaping @Sendable (Result<Reply, any Error>) -> Void
  ) {
    let deadline = ContinuousClock.now + deadline(call)
    if call.isSmall {
      Task.immediate {
        let action = await Result { try await prepare(call, until: deadline) }
        submit(action, until: deadline, on: eventLoop, done)
      }
    } else {
      Task {
        let action = await Result { try await largeCalls.prepare(call, self, until: deadline) }
        submit(action, until: deadline, on: eventLoop, done)
      }
    }
  }

  /// From now; what it took to find out who the caller is counts too.
  private func deadline(_ call: RoutedCall) -> Duration {
    (call.route.isBatch ? deadlines.batch : deadlines.request) - call.waited
  }

  private func submit(
    _ prepared: Result<PreparedAction, any Error>, until deadline: ContinuousClock.Instant,
    on eventLoop: any EventLoop, _ done: @escaping @Sendable (Result<Reply, any Error>) -> Void
  ) {
    switch prepared {
    case .success(.answer(let reply)): eventLoop.executeNow { done(.success(reply)) }
    case .success(.command(let command, let reply)):
      Failpoint.pass("priced")
      lanes.submit(command, until: deadline, on: eventLoop) { outcome in
        done(Result { try reply(try outcome.get()) })
      }
      Failpoint.pass("enqueued")
    case .failure(let error): eventLoop.executeNow { done(.failure(error)) }
    }
  }

  fileprivate func prepare(
    _ call: RoutedCall, until deadline: ContinuousClock.Instant
  ) async throws -> PreparedAction {
    let request = try APIRequest(
      call.principal, call.headers, call.body, until: deadline, date: now())
    switch call.route {
    case .single(let action): return try await prepare(action, request)
    case .projection(let projection): return .answer(try await read(projection, request))
    case .batch:
      return .answer(
        try await batch(request, requestID: call.requestID, logger: call.logger))
    }
  }
}

/// Prepares large calls, one at a time: what else needs a thread of the pool shall find one. One
/// whose turn comes too late is refused before anything is done for it.
actor LargeCalls {
  fileprivate func prepare(
    _ call: RoutedCall, _ api: API, until deadline: ContinuousClock.Instant
  ) async throws -> PreparedAction {
    if deadline <= .now { throw StoreError.overloaded }
    return try await api.prepare(call, until: deadline)
  }
}

extension EventLoop {
  /// At once when this is the event loop's thread.
  func executeNow(_ work: @escaping @Sendable () -> Void) {
    if inEventLoop { work() } else { execute(work) }
  }
}

extension Result where Failure == any Error {
  init(catching body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
