import NIOCore
import NIOHTTP1
import NIOPosix

/// A connection to a server of this machine that is kept for one request after the other.
public final class HTTPConnection: Sendable {
  public struct Request: Sendable {
    public let method: HTTPMethod
    public let path: String
    public let headers: [(String, String)]
    public let body: String

    public init(
      _ method: HTTPMethod = .POST, path: String, headers: [(String, String)], body: String
    ) {
      self.method = method
      self.path = path
      self.headers = headers
      self.body = body
    }
  }

  public struct Answer: Sendable, Hashable {
    public let status: Int
    public let text: String

    public init(status: Int, text: String) {
      self.status = status
      self.text = text
    }
  }

  private let channel: any Channel

  public init(to port: Int) async throws {
    channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .connectTimeout(.seconds(2))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHTTPClientHandlers()
          try channel.pipeline.syncOperations.addHandler(ExchangeHandler())
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
  }

  public var isOpen: Bool { channel.isActive }

  public func close() { channel.close(promise: nil) }

  /// Sends a request and returns its answer. Closes the connection when none has come in time.
  public func post(_ request: Request, patience: Duration) async throws -> Answer {
    let answer = channel.eventLoop.makePromise(of: Answer.self)
    let end = channel.eventLoop.scheduleTask(in: TimeAmount(patience)) { [channel] in
      channel.close(promise: nil)
    }
    defer { end.cancel() }
    channel.writeAndFlush(Exchange(request: request, answer: answer))
      .whenFailure { answer.fail($0) }
    return try await answer.futureResult.get()
  }
}

/// A request, and who waits for its answer.
private struct Exchange: Sendable {
  let request: HTTPConnection.Request
  let answer: EventLoopPromise<HTTPConnection.Answer>

  var head: HTTPRequestHead {
    var headers = HTTPHeaders(request.headers)
    headers.add(name: "host", value: "localhost")
    headers.add(name: "content-length", value: "\(request.body.utf8.count)")
    return HTTPRequestHead(
      version: .http1_1, method: request.method, uri: request.path, headers: headers)
  }
}

private final class ExchangeHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundIn = Exchange
  typealias OutboundOut = HTTPClientRequestPart

  private var answer: EventLoopPromise<HTTPConnection.Answer>?
  private var status = 0
  private var body = ByteBuffer()

  func write(
    context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
  ) {
    let exchange = unwrapOutboundIn(data)
    answer = exchange.answer
    context.write(wrapOutboundOut(.head(exchange.head)), promise: nil)
    let body = ByteBuffer(string: exchange.request.body)
    context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    context.write(wrapOutboundOut(.end(nil)), promise: promise)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      status = Int(head.status.code)
      body.clear()
    case .body(var part): body.writeBuffer(&part)
    case .end: answer.take()?.succeed(.init(status: status, text: String(buffer: body)))
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    answer.take()?.fail(ChannelError.eof)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    answer.take()?.fail(error)
    context.close(promise: nil)
  }
}
