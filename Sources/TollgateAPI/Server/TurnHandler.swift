import NIOCore
import NIOHTTP1

/// Lets one request in at a time: the next waits until the reply to the last is out.
///
/// NIO has such a handler, but it stops reading while a reply is due, which takes two system calls
/// per request, and it answers a queue of requests by recursion.
final class TurnHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private enum Event {
    case part(NIOAny)
    case error(any Error)
  }

  /// What came while a reply was due. Bounded, since nothing is read while something waits.
  private var waiting = CircularBuffer<Event>()
  private var isReadPending = false
  private var isAdmitting = false
  /// Between the head and the end of the request that was let in.
  private var isReceiving = false
  private var isReplyDue = false
  private var isKeptAlive = true
  private var isInputClosed = false
  private var isQuiescing = false
  /// The last reply is out; what still comes is dropped.
  private var isFinished = false
  private var context: ChannelHandlerContext?

  private var isBusy: Bool { isReplyDue && !isReceiving }

  /// Whether the connection is closed after the reply that is due.
  var isLastReply: Bool { isQuiescing || !isKeptAlive || (isInputClosed && waiting.isEmpty) }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  /// The reply that was due is written.
  func finishReply() {
    isFinished = isFinished || isLastReply
    isReplyDue = false
    if isFinished { waiting.removeAll() }
    if let context { admitWaiting(context) }
  }
}

extension TurnHandler {
  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isFinished { return }
    if isBusy || !waiting.isEmpty {
      waiting.append(.part(data))
    } else {
      admit(data, context)
    }
  }

  private func admit(_ data: NIOAny, _ context: ChannelHandlerContext) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      isReceiving = true
      isReplyDue = true
      // Clients of HTTP 1.0 disagree about what keeps a connection.
      isKeptAlive = head.version == .http1_1 && head.isKeepAlive
    case .body: break
    case .end: isReceiving = false
    }
    context.fireChannelRead(data)
  }

  /// A loop, for a request may be answered while it is let in.
  private func admitWaiting(_ context: ChannelHandlerContext) {
    if isAdmitting || waiting.isEmpty { return }
    isAdmitting = true
    while !isBusy, let event = waiting.popFirst() {
      switch event {
      case .part(let data): admit(data, context)
      case .error(let error): context.fireErrorCaught(error)
      }
    }
    isAdmitting = false
    context.fireChannelReadComplete()
    if waiting.isEmpty, isReadPending {
      isReadPending = false
      context.read()
    }
  }

  func read(context: ChannelHandlerContext) {
    if waiting.isEmpty { context.read() } else { isReadPending = true }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if error is HTTPParserError, isBusy || !waiting.isEmpty {
      waiting.append(.error(error))
    } else {
      context.fireErrorCaught(error)
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is ChannelShouldQuiesceEvent {
      quiesce(context)
    } else if event as? ChannelEvent == .inputClosed, isBusy {
      // Who sends no more may still read; what is behind us would close at once.
      isInputClosed = true
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }

  private func quiesce(_ context: ChannelHandlerContext) {
    isQuiescing = true
    waiting.removeAll()
    if !isReplyDue, !isReceiving { context.close(promise: nil) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    waiting.removeAll()
    context.fireChannelInactive()
  }
}

extension TurnHandler {
  func write(
    context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
  ) {
    switch unwrapOutboundIn(data) {
    case .head(var head) where isLastReply:
      head.headers.replaceOrAdd(name: "connection", value: "close")
      context.write(wrapOutboundOut(.head(head)), promise: promise)
    case .end where isLastReply:
      let closed = promise ?? context.eventLoop.makePromise()
      closed.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
      context.write(data, promise: closed)
      finishReply()
    case .end:
      context.write(data, promise: promise)
      finishReply()
    case .head, .body: context.write(data, promise: promise)
    }
  }
}
