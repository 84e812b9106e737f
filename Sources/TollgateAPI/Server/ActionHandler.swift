import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

/// Answers actions on the event loop of their connection, and passes all other requests on.
///
/// Stands behind NIO's pipelining handler, which lets one request in at a time.
final class ActionHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private enum State {
    /// Between requests; what is left of an answered one is dropped.
    case idle
    /// The request is not ours.
    case passing
    case receiving(ActionCall, keepsAlive: Bool)
    /// The action runs; what is left of the request is dropped.
    case running(requestID: String, keepsAlive: Bool)
    /// What came was not HTTP: whoever is behind us answers and closes.
    case broken
  }

  private let api: API
  private let logger: Logger
  private var state = State.idle

  init(_ api: API, logger: Logger) {
    self.api = api
    self.logger = logger
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch (unwrapInboundIn(data), state) {
    case (.head(let head), _): begin(head, data, context)
    case (_, .passing), (_, .broken): context.fireChannelRead(data)
    case (.body(let part), .receiving(let call, let keepsAlive)):
      // Not held twice, or appending would copy it.
      state = .idle
      receive(part, call, keepsAlive: keepsAlive, context)
    case (.end, .receiving(let call, let keepsAlive)): run(call, keepsAlive: keepsAlive, context)
    case (_, .idle), (_, .running): break
    }
  }

  private func begin(_ head: HTTPRequestHead, _ data: NIOAny, _ context: ChannelHandlerContext) {
    if let call = ActionCall(head) {
      // Clients of HTTP 1.0 disagree about what keeps a connection.
      state = .receiving(call, keepsAlive: head.version == .http1_1 && head.isKeepAlive)
    } else {
      state = .passing
      context.fireChannelRead(data)
    }
  }

  /// Refuses what is too large before it has all come.
  private func receive(
    _ part: ByteBuffer, _ call: consuming ActionCall, keepsAlive: Bool,
    _ context: ChannelHandlerContext
  ) {
    call.append(part)
    if call.isTooLarge {
      run(call, keepsAlive: keepsAlive, context)
    } else {
      state = .receiving(call, keepsAlive: keepsAlive)
    }
  }

  private func run(_ call: ActionCall, keepsAlive: Bool, _ context: ChannelHandlerContext) {
    let requestID = call.headers.safeRequestID ?? RequestID().description
    state = .running(requestID: requestID, keepsAlive: keepsAlive)
    let here = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    api.run(call, on: context.eventLoop) { result in
      let (handler, context) = here.value
      handler.finish(result, context)
    }
  }

  private func finish(_ result: Result<Reply, any Error>, _ context: ChannelHandlerContext) {
    // Nobody waits on a connection that has gone or broken.
    guard case .running(let requestID, let keepsAlive) = state else { return }
    state = .idle
    let reply: Reply
    do {
      reply = try result.get()
    } catch {
      reply = Reply(any: error, requestID: requestID, logger: logger)
    }
    write(reply, requestID: requestID, keepsAlive: keepsAlive, context)
  }

  private func write(
    _ reply: Reply, requestID: String, keepsAlive: Bool, _ context: ChannelHandlerContext
  ) {
    let head = reply.head(requestID: requestID, keepsAlive: keepsAlive)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    let body = context.channel.allocator.buffer(bytes: reply.body)
    context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    if keepsAlive {
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    } else {
      let context = context.loopBound
      context.value.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
        context.value.close(promise: nil)
      }
    }
  }
}

extension ActionHandler {
  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // A client that sends no more may still read. What is behind us would close the connection.
    if let event = event as? ChannelEvent, event == .inputClosed,
      case .running(let requestID, _) = state
    {
      state = .running(requestID: requestID, keepsAlive: false)
    } else {
      context.fireUserInboundEventTriggered(event)
    }
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
