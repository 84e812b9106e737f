import NIOCore
import NIOHTTP1

/// Takes requests out of the bytes of a connection with NIO's decoder, part by part and only when
/// asked.
///
/// That decoder hands out at once all that it is given, and stops for good behind a request that
/// offers another protocol. So it is given no more than belongs to one request, and the next one
/// gets a new decoder then: what nobody asks for stays bytes, however many requests it holds.
struct RequestDecoder {
  enum Part {
    case head(RequestHead)
    case body(ByteBuffer)
    case end
  }

  /// What comes next.
  private enum Expected {
    /// A head, in which so many bytes hold no end.
    case head(scanned: Int)
    /// So many bytes of a body.
    case body(left: Int)
    case chunks
  }

  /// Of the request line and all headers together, in bytes; also of the fields behind chunks.
  static let headLimit = 16 << 10

  private var decoder = Self.newDecoder()
  private let decoded = DecodedParts()
  private var expected = Expected.head(scanned: 0)
  /// What the decoder was given and has not done with.
  private var given = ByteBuffer()
  private var isStopping = false

  /// Whether no part of a request has come.
  var isBetweenRequests: Bool {
    if case .head(scanned: 0) = expected { true } else { false }
  }

  private static func newDecoder() -> HTTPRequestDecoder {
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = headLimit
    limits.maxHeaderListSize = headLimit
    return HTTPRequestDecoder(limitConfiguration: limits)
  }

  /// To be called once, with the context of the handler that uses it.
  func start(_ context: ChannelHandlerContext) throws {
    try context.pipeline.syncOperations.addHandler(decoded, position: .after(context.handler))
    decoder.decoderAdded(context: context)
  }

  /// To be called once, when nothing more is decoded.
  func stop(_ context: ChannelHandlerContext) { decoder.decoderRemoved(context: context) }

  /// The next part; `nil` when more has to come first. After an error nothing more can be read.
  mutating func next(
    _ bytes: inout ByteBuffer, _ context: ChannelHandlerContext
  ) throws(APIError) -> Part? {
    while true {
      if let part = decoded.next() { return try read(part, context) }
      if isBetweenRequests { bytes.skipLineEnds() }
      guard let length = try length(of: bytes), let slice = bytes.readSlice(length: length) else {
        return nil
      }
      try decode(slice, context)
    }
  }
}

extension RequestDecoder {
  private mutating func read(
    _ part: HTTPServerRequestPart, _ context: ChannelHandlerContext
  ) throws(APIError) -> Part {
    switch part {
    case .head(let head):
      let request = try RequestHead(head)
      switch request.body {
      case .length(let length): expected = .body(left: length)
      case .chunked: expected = .chunks
      }
      isStopping = head.method == .CONNECT || head.headers.contains(name: "upgrade")
      return .head(request)
    case .body(let bytes): return .body(bytes)
    case .end:
      expected = .head(scanned: 0)
      if isStopping { replaceDecoder(context) }
      return .end
    }
  }

  private mutating func replaceDecoder(_ context: ChannelHandlerContext) {
    decoder.decoderRemoved(context: context)
    decoder = Self.newDecoder()
    decoder.decoderAdded(context: context)
    isStopping = false
  }

  private mutating func decode(
    _ slice: ByteBuffer, _ context: ChannelHandlerContext
  ) throws(APIError) {
    if given.readableBytes == 0 { given = slice } else { given.writeImmutableBuffer(slice) }
    do {
      _ = try decoder.decode(context: context, buffer: &given)
    } catch {
      throw APIError(undecodable: error)
    }
    if given.readableBytes == 0 { given = ByteBuffer() } else { given.discardReadBytes() }
  }
}

// MARK: How much belongs to this request

extension RequestDecoder {
  /// Of what has come, how much the decoder may be given; `nil` for nothing.
  private mutating func length(of bytes: ByteBuffer) throws(APIError) -> Int? {
    switch expected {
    case .head(let scanned):
      let end = bytes.endOfEmptyLine(after: scanned)
      expected = .head(scanned: end == nil ? bytes.lengthWithoutEmptyLine : 0)
      if end ?? bytes.readableBytes > Self.headLimit { throw .headTooLarge }
      return end
    case .body(let left):
      let length = min(left, bytes.readableBytes)
      expected = .body(left: left - length)
      return length == 0 ? nil : length
    case .chunks:
      // They end with an empty line, and what is within them may look like one.
      let length = bytes.endOfEmptyLine(after: 0) ?? bytes.lengthWithoutEmptyLine
      return length == 0 ? nil : length
    }
  }
}

extension ByteBuffer {
  /// Those before a request belong to none (RFC 9112, 2.2).
  fileprivate mutating func skipLineEnds() {
    let count = readableBytesView.prefix { $0 == lineFeed || $0 == carriageReturn }.count
    moveReaderIndex(forwardBy: count)
  }

  /// How much there is up to the end of the first empty line that follows another line.
  fileprivate func endOfEmptyLine(after scanned: Int) -> Int? {
    let bytes = readableBytesView
    var start = bytes.startIndex + scanned
    while let end = bytes[start...].firstIndex(of: lineFeed) {
      start = end + 1
      let next = bytes[start...].prefix(2)
      if next.first == lineFeed { return start + 1 - bytes.startIndex }
      if next.elementsEqual("\r\n".utf8) { return start + 2 - bytes.startIndex }
    }
    return nil
  }

  /// When there is no empty line, how much does not belong to one whatever comes.
  fileprivate var lengthWithoutEmptyLine: Int {
    let last = readableBytesView.suffix(2)
    if last.last == lineFeed { return readableBytes - 1 }
    return last.elementsEqual("\n\r".utf8) ? readableBytes - 2 : readableBytes
  }
}

private let lineFeed = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")

/// Stands behind the handler that decodes, and keeps what NIO's decoder hands on: the parts of one
/// request at most.
private final class DecodedParts: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart

  private var parts = CircularBuffer<HTTPServerRequestPart>(initialCapacity: 2)

  func next() -> HTTPServerRequestPart? { parts.popFirst() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    parts.append(unwrapInboundIn(data))
  }

  /// The decoder throws them as well.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

extension APIError {
  fileprivate init(undecodable error: any Error) {
    self =
      switch error as? HTTPParserError {
      case .headerOverflow: .headTooLarge
      case let error?: .unreadable("\(error)")
      case nil: .unreadable("it is no HTTP/1.1")
      }
  }

  /// What came was no request of HTTP/1.1.
  static func unreadable(_ what: String) -> APIError {
    APIError(.badRequest, "BAD_REQUEST", "the request could not be read: \(what)")
  }

  static let headTooLarge = APIError(
    .requestHeaderFieldsTooLarge, "HEADERS_TOO_LARGE",
    "the request line and the headers exceed \(RequestDecoder.headLimit) bytes")

  static let requestTimeout = APIError(
    .requestTimeout, "REQUEST_TIMEOUT", "the request did not come in time; nothing charged")
}
