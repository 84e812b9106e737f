import NIOCore
import NIOPosix
import Synchronization

/// Passes bytes on between its clients and the servers behind it, and cuts or stalls what goes
/// through it. A client gets the next server in turn that accepts it.
public final class Relay: Sendable {
  private let listener: any Channel
  private let links: RelayLinks

  /// - Parameter ports: of servers on this machine.
  public init(toServersAt ports: [Int]) async throws {
    let links = RelayLinks(ports)
    self.links = links
    listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { links.connect($0) }
      .bind(host: "127.0.0.1", port: 0).get()
  }

  public var port: Int { listener.localAddress?.port ?? 0 }

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
    var links: [ObjectIdentifier: RelayLink] = [:]
  }

  private let ports: [Int]
  private let state = Mutex(State())

  init(_ ports: [Int]) { self.ports = ports }

  var all: [RelayLink] { state.withLock { Array($0.links.values) } }

  /// Links a client that has come with the first server that accepts it.
  func connect(_ client: any Channel) -> EventLoopFuture<Void> {
    connect(client, attempts: ports.count).flatMapThrowing { server in
      let link = RelayLink(client: client, server: server)
      try client.pipeline.syncOperations.addHandler(RelayEnd(to: server))
      try server.pipeline.syncOperations.addHandler(RelayEnd(to: client))
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
    state.withLock { $0.links[id] = link }
    link.client.closeFuture.whenComplete { _ in self.state.withLock { $0.links[id] = nil } }
  }
}

/// One end of a link: what comes in there goes on to the other, and they end together.
private final class RelayEnd: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let other: any Channel

  init(to other: any Channel) { self.other = other }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    other.writeAndFlush(unwrapInboundIn(data), promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
