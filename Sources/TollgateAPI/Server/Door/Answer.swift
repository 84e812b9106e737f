import HTTPTypes
import Hummingbird
import Locking
import NIOCore

/// What a request is answered with.
enum Answer: Sendable {
  case reply(Reply)
  /// Of the router.
  case response(Response, body: ByteBuffer)

  /// The whole response as it is sent.
  func bytes(_ call: Call, closes: Bool, allocator: ByteBufferAllocator) -> ByteBuffer {
    let hasBody = call.head.method != .head
    return switch self {
    case .reply(let reply):
      reply.bytes(
        requestID: call.requestID, closes: closes, hasBody: hasBody, allocator: allocator)
    case .response(let response, let body):
      response.bytes(body, closes: closes, hasBody: hasBody, allocator: allocator)
    }
  }
}

extension Answer {
  /// Of a response whose body comes by and by, all of it.
  init(_ response: Response) async throws {
    let body = CollectedBody()
    try await response.body.write(BodyCollector(body: body))
    self = .response(response, body: body.bytes.withLock { $0 })
  }
}

extension Response {
  fileprivate func bytes(
    _ body: ByteBuffer, closes: Bool, hasBody: Bool, allocator: ByteBufferAllocator
  ) -> ByteBuffer {
    var bytes = allocator.buffer(capacity: 512 + body.readableBytes)
    bytes.writeStatusLine(status)
    for field in headers where field.name != .contentLength && field.name != .connection {
      bytes.writeHeader(field.name.canonicalName, field.value)
    }
    bytes.writeHeader("server", API.serverName)
    bytes.writeHeader("date", HTTPDate.now)
    if closes { bytes.writeHeader("connection", "close") }
    // That of a HEAD tells of the body that a GET would have.
    let length = hasBody ? nil : headers[.contentLength]
    bytes.writeHeader("content-length", length ?? String(body.readableBytes))
    bytes.writeString("\r\n\r\n")
    if hasBody { bytes.writeImmutableBuffer(body) }
    return bytes
  }
}

private final class CollectedBody: Sendable {
  let bytes = Locked(ByteBuffer())
}

private struct BodyCollector: ResponseBodyWriter {
  let body: CollectedBody

  func write(_ part: ByteBuffer) { _ = body.bytes.withLock { $0.writeImmutableBuffer(part) } }

  consuming func finish(_ trailers: HTTPFields?) {}
}
