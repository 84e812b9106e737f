import NIOCore
import NIOPosix
import Synchronization

/// Passes bytes on between its clients and the servers behind it, and delays, cuts, stalls or
/// swallows what goes through it. A client gets the next server in turn that accepts it.
public final class Relay: Sendable {
  private let listener: any Channel
  private let links: RelayLinks

  /// - Parameters:
  ///   - ports: of servers on this machine.
  ///   - delay: of all that passes, each way.
  public init(toServersAt ports: [Int], delay: Duration = .zero) async throws {
    let links = RelayLinks(ports)
    links.delay = delay
    self.links = links
    listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { links.connect($0) }
      .bind(host: "127.0.0.1", port: 0).get()
  }

  public var port: Int { listener.localAddress?.port ?? 0 }

  /// Clients that have come, in all.
  public var accepted: Int { links.accepted }

  public func close() async throws {
    try await listener.close()
    cut { true }
  }

  /// Cuts the links that are chosen; returns how many.
  @discardableResult
  public func cut(_ isChosen: () -> Bool) -> Int {
    let chosen = links.all.filter { _ in isChosen() }
    for link in chosen { link.client.close(promise: nil) }
    return chosen.count
  }

  /// Of all that passes, each way.
  public var delay: Duration {
    get { links.delay }
    set { links.delay = newValue }
  }

  /// Lets nothing pass, and nobody notice, on the links there are and on those to come, until it is
  /// told otherwise.
  public func mute(_ isMuted: Bool) { links.mute(isMuted) }

  /// Lets nothing pass on the links that there are, for a time; returns how many.
  @discardableResult
  public func stall(for duration: Duration) async throws -> Int {
    let stalled = links.all
    for link in stalled { link.setReading(false) }
    try await Task.sleep(for: duration)
    for link in stalled { link.setReading(true) }
    return stalled.count
  }
}

/// A client's connection and its counterpart to a server, both on one event loop.
struct RelayLink: Sendable {
  let client: any Channel
  let server: any Channel

  func setReading(_ isReading: Bool) {
    for channel in [client, server] {
      channel.setOption(.autoRead, value: isReading).whenComplete { _ in }
    }
  }
}

/// The links of a relay, and whose turn is next.
final class RelayLinks: Sendable {
  private struct State {
    var turn = 0
    var accepted = 0
    var isMuted = false
    var delay = Duration.zero
    var links: [ObjectIdentifier: RelayLink] = [:]
  }

  private let ports: [Int]
  private let state = Mutex(State())

  init(_ ports: [Int]) { self.ports = ports }

  var delay: Duration {
    get { state.withLock { $0.delay } }
    set { state.withLock { $0.delay = newValue } }
  }

  var accepted: Int { state.withLock { $0.accepted } }

  func mute(_ isMuted: Bool) {
    let links = state.withLock { state in
      state.isMuted = isMuted
      return Array(state.links.values)
    }
    for link in links { link.setReading(!isMuted) }
  }

  var all: [RelayLink] { state.withLock { Array($0.links.values) } }

  /// Links a client that has come with the first server that accepts it.
  func connect(_ client: any Channel) -> EventLoopFuture<Void> {
    state.withLock { $0.accepted += 1 }
    return connect(client, attempts: ports.count).flatMapThrowing { server in
      let link = RelayLink(client: client, server: server)
      try client.pipeline.syncOperations.addHandler(RelayEnd(to: server, self))
      try server.pipeline.syncOperations.addHandler(RelayEnd(to: client, self))
      self.add(link)
    }
  }

  private func connect(
    _ client: any Channel, attempts: Int
  ) -> EventLoopFuture<any Channel> {
    let server = ClientBootstrap(group: client.eventLoop)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .connect(host: "127.0.0.1", port: next())
    guard attempts > 1 else { return server }
    return server.flatMapError { _ in self.connect(client, attempts: attempts - 1) }
  }

  private func next() -> Int {
    state.withLock { state in
      state.turn += 1
      return ports[state.turn % ports.count]
    }
  }

  private func add(_ link: RelayLink) {
    let id = ObjectIdentifier(link.client)
    let isMuted = state.withLock { state in
      state.links[id] = link
      return state.isMuted
    }
    if isMuted { link.setReading(false) }
    link.client.closeFuture.whenComplete { _ in self.state.withLock { $0.links[id] = nil } }
  }
}

/// One end of a link: what comes in there goes on to the other, late if it shall be, and they end
/// together.
private final class RelayEnd: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let other: any Channel
  private let links: RelayLinks
  /// What is on its way; `nil` stands for the end.
  private var late = CircularBuffer<ByteBuffer?>()

  init(to other: any Channel, _ links: RelayLinks) {
    self.other = other
    self.links = links
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    pass(unwrapInboundIn(data), context)
  }

  func channelInactive(context: ChannelHandlerContext) { pass(nil, context) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func pass(_ bytes: ByteBuffer?, _ context: ChannelHandlerContext) {
    let delay = links.delay
    if delay == .zero, late.isEmpty { return arrive(bytes) }
    late.append(bytes)
    context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) {
      if let first = self.late.popFirst() { self.arrive(first) }
    }
  }

  private func arrive(_ bytes: ByteBuffer?) {
    if let bytes { other.writeAndFlush(bytes, promise: nil) } else { other.close(promise: nil) }
  }
}
