import NIOCore

/// Stands next to the socket: closes an idle connection, and sends replies that are whole already.
final class SocketHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let idleTimeout: TimeAmount
  private var lastActivity = NIODeadline.now()
  private var idleCheck: Scheduled<Void>?
  private var context: ChannelHandlerContext?

  init(idleTimeout: TimeAmount) { self.idleTimeout = idleTimeout }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    scheduleIdleCheck(context)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    idleCheck?.cancel()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    lastActivity = .now()
    context.fireChannelRead(data)
  }

  func flush(context: ChannelHandlerContext) {
    lastActivity = .now()
    context.flush()
  }

  /// Sends bytes past the encoders.
  func send(_ bytes: ByteBuffer, thenClose closes: Bool) {
    guard let context else { return }
    lastActivity = .now()
    if closes {
      context.writeAndFlush(wrapOutboundOut(bytes)).assumeIsolated().whenComplete { _ in
        context.close(promise: nil)
      }
    } else {
      context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }
  }
}

extension SocketHandler {
  /// Looks again when the time would be up, rather than at every activity.
  private func scheduleIdleCheck(_ context: ChannelHandlerContext) {
    let here = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    idleCheck = context.eventLoop.scheduleTask(deadline: lastActivity + idleTimeout) {
      let (handler, context) = here.value
      handler.checkIdle(context)
    }
  }

  private func checkIdle(_ context: ChannelHandlerContext) {
    if lastActivity + idleTimeout <= .now() {
      context.close(promise: nil)
    } else {
      scheduleIdleCheck(context)
    }
  }
}
