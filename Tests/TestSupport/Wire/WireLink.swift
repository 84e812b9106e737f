import NIOCore
import NIOPosix

/// A client's connection and its counterpart to the server, both on one event loop.
final class WireLink {
  private let client: any Channel
  private let server: any Channel
  private let faults: WireFaults
  /// How many of each kind came since the statement began that a fault waits for.
  private var counted: [WireMessage.Kind: Int]?
  private var isCut = false
  /// The directions in which nothing goes on.
  private var closed: Set<WireMessage.Direction> = []
  /// What is held back, by direction; `nil` stands for the end.
  private var held: [WireMessage.Direction: [ByteBuffer?]] = [:]

  init(client: any Channel, server: any Channel, _ faults: WireFaults) {
    self.client = client
    self.server = server
    self.faults = faults
  }

  func receive(_ message: WireMessage) {
    if isCut { return }
    if message.kind == .parse, let statement = message.statement {
      faults.prepared(statement, on: client)
    }
    guard let fault = fault(at: message) else { return forward(message.bytes, message.direction) }
    if fault.moment == .after { forward(message.bytes, message.direction) }
    inflict(fault.damage, message.direction)
    if fault.moment == .before { forward(message.bytes, message.direction) }
  }

  /// Nothing more comes in this direction.
  func end(_ direction: WireMessage.Direction) {
    if held[direction] != nil { held[direction]?.append(nil) } else { close() }
  }

  func refuseEncryption() { client.writeAndFlush(ByteBuffer(string: "N"), promise: nil) }

  private func fault(at message: WireMessage) -> WireFault? {
    guard let kind = message.kind else { return nil }
    if let statement = message.statement, kind == .parse {
      counted = statement == faults.armed?.statement ? [:] : nil
    }
    guard let ordinal = counted.map({ $0[kind, default: 0] + 1 }) else { return nil }
    counted?[kind] = ordinal
    return faults.take(at: kind, ordinal: ordinal)
  }

  private func forward(_ bytes: ByteBuffer, _ direction: WireMessage.Direction) {
    if isCut || closed.contains(direction) { return }
    if held[direction] != nil {
      held[direction]?.append(bytes)
    } else {
      receiver(direction).writeAndFlush(bytes, promise: nil)
    }
  }

  private func receiver(_ direction: WireMessage.Direction) -> any Channel {
    direction == .toServer ? server : client
  }
}

extension WireLink {
  private func inflict(_ damage: WireFault.Damage, _ direction: WireMessage.Direction) {
    switch damage {
    case .drop: close()
    case .reset: reset()
    case .halfClose:
      closed.insert(direction)
      receiver(direction).close(mode: .output, promise: nil)
    case .delay(let duration): hold(direction, for: duration)
    }
  }

  private func close() {
    isCut = true
    client.close(promise: nil)
    server.close(promise: nil)
  }

  private func reset() {
    for channel in [client, server] {
      // At once, for this is the event loop of both.
      _ = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
    }
    close()
  }

  private func hold(_ direction: WireMessage.Direction, for duration: Duration) {
    held[direction] = []
    faults.countLate(1)
    client.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(duration)) {
      self.letGo(direction)
    }
  }

  private func letGo(_ direction: WireMessage.Direction) {
    for bytes in held.removeValue(forKey: direction) ?? [] {
      if let bytes { forward(bytes, direction) } else { close() }
    }
    faults.countLate(-1)
  }
}

/// One end of a link: what comes in there goes on in one direction.
final class WireEnd: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let link: WireLink
  private let direction: WireMessage.Direction
  private var framing: WireFraming

  init(_ link: WireLink, _ direction: WireMessage.Direction) {
    self.link = link
    self.direction = direction
    framing = WireFraming(direction)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    framing.append(unwrapInboundIn(data))
    while let part = framing.next() {
      switch part {
      case .message(let message): link.receive(message)
      case .encryptionRequest: link.refuseEncryption()
      }
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event as? ChannelEvent == .inputClosed { link.end(direction) }
  }

  func channelInactive(context: ChannelHandlerContext) { link.end(direction) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { link.end(direction) }
}
