import Failpoints
import Hummingbird
import NIOCore
import TollgateStore

/// Serves a connection: reads requests, has them answered and writes the answers, as
/// ``ClientConnection`` decides.
///
/// What is a ``Route`` is answered on the event loop, all else by the router.
final class DoorHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = Never
  typealias OutboundOut = ByteBuffer

  /// Parts of requests that are taken in before other connections have their turn.
  private static let turn = 64
  /// Bytes that may wait. Reads are held back long before, but for those at the end of the input,
  /// where NIO hands on all that the system holds.
  private static let heldLimit = 64 << 10

  private let door: Door
  private let turns: Turns
  private var connection: ClientConnection
  private var decoder = RequestDecoder()
  /// What has come and is not taken in yet.
  private var bytes = ByteBuffer()
  /// The request that is let in.
  private var call: Call?
  private var isTakingIn = false
  private var isTurnOver = false
  private var isReadHeld = false
  private var check: Scheduled<Void>?

  init(_ door: Door, _ turns: Turns) {
    self.door = door
    self.turns = turns
    connection = ClientConnection(door.limits, at: .now())
  }

  func handlerAdded(context: ChannelHandlerContext) {
    do { try decoder.start(context) } catch { context.close(promise: nil) }
    scheduleCheck(context)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    decoder.stop(context)
    check?.cancel()
  }
}

// MARK: What comes in

extension DoorHandler {
  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var part = unwrapInboundIn(data)
    if connection.dropsInput { return connection.dropped(part.readableBytes) }
    if bytes.readableBytes >= Self.heldLimit { return act(connection.inputClosed(), context) }
    if bytes.readableBytes == 0 {
      bytes = part
    } else {
      // Or the buffer would grow for as long as something is always left in it.
      bytes.discardReadBytes()
      bytes.writeBuffer(&part)
    }
    takeIn(context)
  }

  /// Takes in what has come as far as it may be. A loop, for a request may be answered while it is
  /// taken in.
  private func takeIn(_ context: ChannelHandlerContext) {
    if isTakingIn || isTurnOver { return }
    isTakingIn = true
    do {
      var parts = 0
      while connection.takesInput, parts < Self.turn,
        let part = try decoder.next(&bytes, context)
      {
        parts += 1
        act(take(part), context)
      }
      isTurnOver = parts == Self.turn
    } catch {
      act(connection.broke(error, at: .now()), context)
    }
    isTakingIn = false
    if isTurnOver { takeInLater(context) } else { settle(context) }
  }

  private func takeInLater(_ context: ChannelHandlerContext) {
    turns.wait {
      self.isTurnOver = false
      self.takeIn(context)
    }
  }

  /// Nothing more can be taken in for now.
  private func settle(_ context: ChannelHandlerContext) {
    if bytes.readableBytes == 0 || connection.dropsInput { bytes = ByteBuffer() }
    if !decoder.isBetweenRequests { connection.began(at: .now()) }
    if connection.isInputClosed {
      let isBetween = decoder.isBetweenRequests
      act(connection.exhausted(isBetweenRequests: isBetween, at: .now()), context)
    }
    readOn(context)
  }

  private func take(_ part: RequestDecoder.Part) -> ClientConnection.Action {
    switch part {
    case .head(let head):
      var call = Call(head)
      let admission = call.admit(door.api)
      self.call = call
      return connection.head(call.request, admission, at: .now())
    case .body(let part):
      let action = connection.body(part.readableBytes, at: .now())
      guard case .keep = action, var call = self.call.take() else { return action }
      let hasRoom = call.append(part, door.bodies)
      self.call = call
      return hasRoom ? action : connection.crowded(at: .now())
    case .end: return connection.end(at: .now())
    }
  }
}

// MARK: When to read

extension DoorHandler {
  /// Asked for after each read. To hold it back costs a system call, to let it through none.
  func read(context: ChannelHandlerContext) {
    isReadHeld = true
    readOn(context)
  }

  private func readOn(_ context: ChannelHandlerContext) {
    guard isReadHeld, !isTurnOver, connection.reads(holding: bytes.readableBytes) else { return }
    isReadHeld = false
    context.read()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    connection.becameWritable(context.channel.isWritable)
    takeIn(context)
  }
}

// MARK: What is done

extension DoorHandler {
  private func act(_ action: ClientConnection.Action, _ context: ChannelHandlerContext) {
    switch action {
    case .none, .keep: break
    case .check: findPrincipal(context)
    case .sendContinue:
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: Self.goOn)), promise: nil)
    case .run: run(context)
    case .refuse(let error, let isLast): refuse(error, isLast: isLast, context)
    case .finish: send(ByteBuffer(), isLast: true, context)
    case .closeOutput: context.close(mode: .output, promise: nil)
    case .close: context.close(promise: nil)
    }
  }

  private static let goOn = "HTTP/1.1 100 Continue\r\n\r\n"

  private func findPrincipal(_ context: ChannelHandlerContext) {
    guard let call else { return }
    let here = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    let (api, eventLoop) = (door.api, context.eventLoop)
    let begin = ContinuousClock.now
    Task.immediate {
      let result = await Result {
        try await api.principal(of: call.head.headers, until: begin + api.deadlines.request)
      }
      eventLoop.executeNow {
        let (handler, context) = here.value
        handler.call?.waited = .now - begin
        handler.checked(result, context)
      }
    }
  }

  private func checked(_ result: Result<Principal, any Error>, _ context: ChannelHandlerContext) {
    let error: APIError?
    switch result {
    case .success(let principal): error = call?.admit(principal)
    case .failure(let failure): error = APIError(any: failure)
    }
    act(connection.checked(error, at: .now()), context)
    takeIn(context)
  }

  private func run(_ context: ChannelHandlerContext) {
    guard let call else { return }
    if call.head.route != nil { Failpoint.pass("requestRead") }
    let here = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    door.run(call, on: context.channel) { answer in
      let (handler, context) = here.value
      handler.finish(answer, context)
    }
  }

  private func finish(_ answer: Answer, _ context: ChannelHandlerContext) {
    let isLast = connection.answered(more: bytes.readableBytes > 0, at: .now())
    guard let isLast, let call = self.call.take() else { return }
    let bytes = answer.bytes(call, closes: isLast, allocator: context.channel.allocator)
    send(bytes, isLast: isLast, context)
    if call.head.route != nil { Failpoint.pass("replyWritten") }
    takeIn(context)
  }

  /// Answers before the request is whole, or what is no request.
  private func refuse(_ error: APIError, isLast: Bool, _ context: ChannelHandlerContext) {
    let call = self.call.take()
    let requestID = call?.requestID ?? RequestID().description
    let reply = Reply(any: error, requestID: requestID, logger: door.logger)
    door.count(reply.status, of: call)
    send(
      reply.bytes(
        requestID: requestID, closes: isLast, hasBody: call?.head.method != .head,
        allocator: context.channel.allocator),
      isLast: isLast, context)
  }

  private func send(_ bytes: ByteBuffer, isLast: Bool, _ context: ChannelHandlerContext) {
    if isLast {
      context.writeAndFlush(wrapOutboundOut(bytes)).assumeIsolated().whenComplete { _ in
        self.act(self.connection.delivered(at: .now()), context)
      }
    } else {
      context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }
  }
}

// MARK: What else happens

extension DoorHandler {
  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is ChannelShouldQuiesceEvent {
      connection.stop(at: .now())
      scheduleCheck(context)
    } else if event as? ChannelEvent == .inputClosed {
      act(connection.inputClosed(), context)
      takeIn(context)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    connection.closed()
    bytes = ByteBuffer()
    call = nil
  }

  /// Looks at the deadline now and then rather than setting a timer for each.
  private func scheduleCheck(_ context: ChannelHandlerContext) {
    check?.cancel()
    if connection.phase == .closed { return }
    let here = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    let end = min(connection.deadline, .now() + door.limits.checkInterval)
    check = context.eventLoop.scheduleTask(deadline: end) {
      let (handler, context) = here.value
      handler.act(handler.connection.tick(at: .now()), context)
      handler.scheduleCheck(context)
    }
  }
}
