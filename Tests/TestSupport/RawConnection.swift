import HTTPTypes
import NIOCore
import NIOPosix
import Tollgate

/// A connection to a worker on which bytes go as they are given.
public final class RawConnection {
  /// The side that is sent on, for whoever sends while another waits for replies.
  public struct Writer: Sendable {
    fileprivate let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>

    public func send(_ text: String) async throws {
      try await outbound.write(ByteBuffer(string: text))
    }

    /// Sends a text again and again, 20 times a second.
    public func dribble(_ text: String, times: Int) async throws {
      for _ in 0..<times {
        try await send(text)
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  public let writer: Writer
  private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
  private var received = ""
  private let channel: any Channel

  fileprivate init(
    _ channel: any Channel, _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
    _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) {
    self.channel = channel
    self.inbound = inbound.makeAsyncIterator()
    writer = Writer(outbound: outbound)
  }

  public func send(_ text: String) async throws { try await writer.send(text) }

  /// Tells the worker that no more will be sent; it can still be read from.
  public func finishSending() { writer.outbound.finish() }

  public func close() { channel.close(promise: nil) }

  /// The next reply; `nil` when the worker has closed the connection.
  public func reply() async throws -> TestReply? {
    while true {
      if let reply = try takeReply() { return reply }
      guard let bytes = try await inbound.next() else { return nil }
      received += String(buffer: bytes)
    }
  }

  /// The head of the next reply, which has no body, whatever length it tells.
  public func head() async throws -> String {
    while true {
      if let end = received.firstRange(of: "\r\n\r\n") {
        defer { received = String(received[end.upperBound...]) }
        return String(received[..<end.lowerBound])
      }
      guard let bytes = try await inbound.next() else { return "" }
      received += String(buffer: bytes)
    }
  }

  /// The status of the next reply; `nil` when the worker has closed the connection.
  public func status() async throws -> Int? { try await reply()?.status }

  /// All that comes until the worker closes the connection.
  public func text() async throws -> String {
    while let bytes = try await inbound.next() { received += String(buffer: bytes) }
    return received
  }

  /// What has come and is no whole reply.
  public var unread: String { received }

  private func takeReply() throws -> TestReply? {
    guard let end = received.firstRange(of: "\r\n\r\n") else { return nil }
    let lines = received[..<end.lowerBound].split(separator: "\r\n")
    var headers = HTTPFields()
    for line in lines.dropFirst() {
      let parts = line.split(separator: ": ", maxSplits: 1).map(String.init)
      if let name = parts.first.flatMap({ HTTPField.Name($0) }) { headers[name] = parts.last }
    }
    let length = headers[.contentLength].flatMap { Int($0) } ?? 0
    let body = received[end.upperBound...].utf8.prefix(length)
    guard body.count == length else { return nil }
    let text = String(decoding: body, as: UTF8.self)
    received = String(received[end.upperBound...].dropFirst(text.count))
    let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    return TestReply(
      status: status ?? 0, headers: headers, text: text,
      json: text.isEmpty ? .null : try JSON(parsing: text.utf8))
  }
}

/// Runs `body` on a new connection to a port of this machine, and closes it.
public func withConnection<T: Sendable>(
  to port: Int, _ body: @escaping @Sendable (RawConnection) async throws -> T
) async throws -> T {
  let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    .channelOption(.allowRemoteHalfClosure, value: true)
    .connect(host: "127.0.0.1", port: port) { channel in
      channel.eventLoop.makeCompletedFuture {
        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
          wrappingChannelSynchronously: channel,
          configuration: .init(isOutboundHalfClosureEnabled: true))
      }
    }
  return try await channel.executeThenClose { inbound, outbound in
    try await body(RawConnection(channel.channel, inbound, outbound))
  }
}

/// A port of this machine that nothing listens on now.
public func freePort() async throws -> Int {
  let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    .bind(host: "127.0.0.1", port: 0).get()
  let port = channel.localAddress?.port ?? 0
  try await channel.close()
  return port
}
