import Hummingbird
import HummingbirdCore
import Locking
import Logging
import NIOCore
import Synchronization

/// What the connections of a worker share: what answers them, and how many there may be.
final class Door: ServerChildChannel {
  struct Connection: ServerChildChannelValue {
    let channel: any Channel
  }

  /// The largest read, in bytes: so much may wait in a connection while an answer is due.
  private static let readLimit = 16 << 10

  let api: API
  let responder: RouterResponder<APIRequestContext>
  let limits: DoorLimits
  let logger: Logger
  let bodies: BodyRoom
  private let connections = Atomic(0)
  /// By event loop.
  private let turns = Locked<[ObjectIdentifier: NIOLoopBound<Turns>]>([:])

  init(
    _ api: API, _ responder: RouterResponder<APIRequestContext>, _ limits: DoorLimits,
    _ logger: Logger
  ) {
    self.api = api
    self.responder = responder
    self.limits = limits
    bodies = BodyRoom(bytes: limits.bodies, taken: api.requestMetrics.bodyBytes)
    self.logger = logger
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
    channel.eventLoop.makeCompletedFuture {
      let pipeline = channel.pipeline.syncOperations
      if enter(channel) {
        try Self.boundReads(of: channel)
        try pipeline.addHandler(DoorHandler(self, turns(on: channel.eventLoop)))
      } else {
        try pipeline.addHandler(FullHandler(api))
      }
      return Connection(channel: channel)
    }
  }

  private func turns(on eventLoop: any EventLoop) -> Turns {
    turns.withLock { turns in
      let id = ObjectIdentifier(eventLoop)
      if let known = turns[id] { return known }
      let new = NIOLoopBound(Turns(on: eventLoop), eventLoop: eventLoop)
      turns[id] = new
      return new
    }.value
  }

  private static func boundReads(of channel: any Channel) throws {
    guard let options = channel.syncOptions else { return }
    try options.setOption(.maxMessagesPerRead, value: 1)
    try options.setOption(
      .recvAllocator,
      value: AdaptiveRecvByteBufferAllocator(minimum: 1_024, initial: 2_048, maximum: readLimit))
  }

  /// Counts a connection until it is closed; false when there are enough.
  private func enter(_ channel: any Channel) -> Bool {
    let count = connections.add(1, ordering: .relaxed).newValue
    api.requestMetrics.connections.record(count)
    channel.closeFuture.whenComplete { _ in
      let count = self.connections.subtract(1, ordering: .relaxed).newValue
      self.api.requestMetrics.connections.record(count)
    }
    return count <= limits.connections
  }

  /// The handler of the channel does everything.
  func handle(value: Connection, logger: Logger) async {
    await withTaskCancellationHandler {
      try? await value.channel.closeFuture.get()
    } onCancel: {
      value.channel.close(promise: nil)
    }
  }
}

/// Turns a connection away, since there are enough.
private final class FullHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let api: API

  init(_ api: API) { self.api = api }

  func channelActive(context: ChannelHandlerContext) {
    api.requestMetrics.refusedConnections.increment()
    let requestID = RequestID().description
    let reply = Reply(.tooManyConnections, requestID: requestID)
    let bytes = reply.bytes(
      requestID: requestID, closes: true, allocator: context.channel.allocator)
    context.writeAndFlush(wrapOutboundOut(bytes)).assumeIsolated().whenComplete { _ in
      context.close(promise: nil)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
}

extension APIError {
  fileprivate static let tooManyConnections = APIError(
    .serviceUnavailable, "OVERLOADED", "too many connections are open; nothing charged")

  static let bodiesFull = APIError(
    .serviceUnavailable, "OVERLOADED", "too many long bodies are being sent; nothing charged")
}

extension API {
  public static let serverName = "tollgate"

  /// The server of this API, which hands to `responder` what is no action.
  public func server(
    _ responder: RouterResponder<APIRequestContext>, limits: DoorLimits, logger: Logger
  ) -> HTTPServerBuilder {
    let door = Door(self, responder, limits, logger)
    return HTTPServerBuilder { _ in door }
  }
}
