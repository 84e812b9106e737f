import Failpoints
import NIOCore
import NIOHTTP1
import Tollgate
import TollgateStore

/// A request for an action, as it comes in.
struct ActionCall: Sendable {
  let route: ActionRoute
  let headers: RequestHeaders
  private var body = ByteBuffer()
  private(set) var isTooLarge = false

  /// `nil` for a request that is not for an action.
  init?(_ head: HTTPRequestHead) {
    guard head.method == .POST, let route = ActionRoute(target: head.uri) else { return nil }
    self.route = route
    headers = RequestHeaders(head.headers)
  }

  /// Keeps no more than the limit of the route.
  mutating func append(_ part: ByteBuffer) {
    isTooLarge = isTooLarge || body.readableBytes + part.readableBytes > route.bodyLimit
    if isTooLarge {
      body = ByteBuffer()
    } else if body.readableBytes == 0 {
      body = part
    } else {
      body.writeImmutableBuffer(part)
    }
  }

  func wholeBody() throws(APIError) -> ByteBuffer {
    if isTooLarge { throw .tooLarge(limit: route.bodyLimit) }
    return body
  }
}

extension API {
  /// Runs an action; `done` is called once, on `eventLoop`.
  ///
  /// Begins on the event loop, and stays there up to the lane unless something has to be read
  /// from the database first: switching threads costs more than all the rest of a request.
  func run(
    _ call: ActionCall, on eventLoop: any EventLoop,
    _ done: @escaping @Sendable (Result<Reply, any Error>) -> Void
  ) {
    let deadline = ContinuousClock.now + (call.route.isBatch ? deadlines.batch : deadlines.request)
    Task.immediate {
      do {
        switch try await prepare(call, until: deadline) {
        case .answer(let reply): eventLoop.executeNow { done(.success(reply)) }
        case .command(let command, let reply):
          Failpoint.pass("priced")
          lanes.submit(command, until: deadline, on: eventLoop) { outcome in
            done(Result { try reply(try outcome.get()) })
          }
          Failpoint.pass("enqueued")
        }
      } catch {
        eventLoop.executeNow { done(.failure(error)) }
      }
    }
  }

  private func prepare(
    _ call: ActionCall, until deadline: ContinuousClock.Instant
  ) async throws -> PreparedAction {
    let request = try await request(
      call.headers, until: deadline, allowing: call.route.isAllowed
    ) { try call.wholeBody() }
    switch call.route {
    case .single(let action): return try await prepare(action, request)
    case .batch: return .answer(try await batch(request))
    }
  }
}

extension EventLoop {
  /// At once when this is the event loop's thread.
  fileprivate func executeNow(_ work: @escaping @Sendable () -> Void) {
    if inEventLoop { work() } else { execute(work) }
  }
}
