import NIOCore

/// Closes a connection on which nothing has come or gone for a while.
final class IdleConnectionHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer

  private let timeout: TimeAmount
  private var lastActivity = NIODeadline.now()
  private var check: Scheduled<Void>?

  init(timeout: TimeAmount) { self.timeout = timeout }

  func handlerAdded(context: ChannelHandlerContext) { schedule(context) }

  func handlerRemoved(context: ChannelHandlerContext) { check?.cancel() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    lastActivity = .now()
    context.fireChannelRead(data)
  }

  func flush(context: ChannelHandlerContext) {
    lastActivity = .now()
    context.flush()
  }

  /// Looks again when the time would be up, rather than at every activity.
  private func schedule(_ context: ChannelHandlerContext) {
    let here = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    check = context.eventLoop.scheduleTask(deadline: lastActivity + timeout) {
      let (handler, context) = here.value
      handler.closeOrWait(context)
    }
  }

  private func closeOrWait(_ context: ChannelHandlerContext) {
    if lastActivity + timeout <= .now() {
      context.close(promise: nil)
    } else {
      schedule(context)
    }
  }
}
