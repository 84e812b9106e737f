import Failpoints
import HTTPTypes
import Hummingbird
import NIOCore
import Tollgate
import TollgateStore

extension Door {
  /// Has a request answered; `done` is called once, on the event loop of `channel`.
  func run(
    _ call: Call, on channel: any Channel, _ done: @escaping @Sendable (Answer) -> Void
  ) {
    guard let route = call.head.route, let principal = call.principal else {
      return route(call, channel, done)
    }
    let call = RoutedCall(
      route: route, principal: principal, headers: call.head.headers, body: call.body,
      room: call.room, requestID: call.requestID, logger: logger, waited: call.waited)
    api.run(call, on: channel.eventLoop) { [self] result in
      let reply =
        switch result {
        case .success(let reply): reply
        case .failure(let error): Reply(any: error, requestID: call.requestID, logger: logger)
        }
      api.requestMetrics[route].count(reply.status)
      done(.reply(reply))
    }
  }

  /// Counts an answer that neither a route nor the router gave.
  func count(_ status: HTTPResponse.Status, of call: Call?) {
    let metrics = api.requestMetrics
    (call?.head.route.map { metrics[$0] } ?? metrics.other).count(status)
  }

  private func route(
    _ call: Call, _ channel: any Channel, _ done: @escaping @Sendable (Answer) -> Void
  ) {
    Task {
      let answer = await route(call, channel)
      channel.eventLoop.execute { done(answer) }
    }
  }

  /// The router's answer; its middleware makes one of every error.
  private func route(_ call: Call, _ channel: any Channel) async -> Answer {
    var logger = logger
    logger[metadataKey: "hb.request.id"] = "\(call.requestID)"
    let context = APIRequestContext(source: .init(channel: channel, logger: logger))
    let head = HTTPRequest(
      method: call.head.method, scheme: nil, authority: nil, path: call.head.target,
      headerFields: call.head.fields)
    do {
      let request = Request(head: head, body: RequestBody(buffer: call.body))
      return try await Answer(responder.respond(to: request, context: context))
    } catch {
      return .reply(Reply(any: error, requestID: call.requestID, logger: logger))
    }
  }
}
