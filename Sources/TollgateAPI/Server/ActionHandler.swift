import Failpoints
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

/// Answers actions on the event loop of their connection, and passes all other requests on.
///
/// Stands behind the ``TurnHandler``, so no request comes before the last one was answered.
final class ActionHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart

  private enum State {
    /// Between requests; what is left of an answered one is dropped.
    case idle
    /// The request is not ours.
    case passing
    case receiving(ActionCall)
    /// The action runs; what is left of the request is dropped.
    case running(ActionRoute, requestID: String)
    /// What came was not HTTP, so whoever is behind us answers and closes; or it is closed already.
    case broken
  }

  private let api: API
  private let turns: TurnHandler
  private let socket: SocketHandler
  private let logger: Logger
  private var state = State.idle

  init(_ api: API, _ turns: TurnHandler, _ socket: SocketHandler, logger: Logger) {
    self.api = api
    self.turns = turns
    self.socket = socket
    self.logger = logger
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch (unwrapInboundIn(data), state) {
    case (.head(let head), _): begin(head, data, context)
    case (_, .passing), (_, .broken): context.fireChannelRead(data)
    case (.body(let part), .receiving(let call)):
      // Not held twice, or appending would copy it.
      state = .idle
      receive(part, call, context)
    case (.end, .receiving(let call)):
      Failpoint.pass("requestRead")
      run(call, context)
    case (_, .idle), (_, .running): break
    }
  }

  private func begin(_ head: HTTPRequestHead, _ data: NIOAny, _ context: ChannelHandlerContext) {
    if let call = ActionCall(head) {
      // Who shows no token is refused before the body has come, and has nothing kept for it.
      if call.headers.bearerToken == nil { run(call, context) } else { state = .receiving(call) }
    } else {
      state = .passing
      context.fireChannelRead(data)
    }
  }

  /// Refuses what is too large before it has all come.
  private func receive(
    _ part: ByteBuffer, _ call: consuming ActionCall, _ context: ChannelHandlerContext
  ) {
    call.append(part)
    if call.isTooLarge { run(call, context) } else { state = .receiving(call) }
  }

  private func run(_ call: ActionCall, _ context: ChannelHandlerContext) {
    let requestID = call.headers.safeRequestID ?? RequestID().description
    state = .running(call.route, requestID: requestID)
    let here = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    api.run(call, on: context.eventLoop) { result in
      let (handler, context) = here.value
      handler.finish(result, context)
    }
  }

  private func finish(_ result: Result<Reply, any Error>, _ context: ChannelHandlerContext) {
    // Nobody waits on a connection that has gone or broken.
    guard case .running(let route, let requestID) = state else { return }
    state = .idle
    let reply: Reply
    do {
      reply = try result.get()
    } catch {
      reply = Reply(any: error, requestID: requestID, logger: logger)
    }
    api.requestMetrics[route].count(reply.status)
    let closes = turns.isLastReply
    let bytes = reply.bytes(
      requestID: requestID, closes: closes, allocator: context.channel.allocator)
    socket.send(bytes, thenClose: closes)
    Failpoint.pass("replyWritten")
    turns.finishReply()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if error is HTTPParserError { state = .broken }
    context.fireErrorCaught(error)
  }

  func channelInactive(context: ChannelHandlerContext) {
    state = .broken
    context.fireChannelInactive()
  }
}
