import HTTPTypes
import NIOCore

extension Reply {
  /// The whole response as it is sent.
  ///
  /// - Parameter hasBody: false for the answer to a HEAD, which only tells of the body.
  func bytes(
    requestID: String, closes: Bool, hasBody: Bool = true, allocator: ByteBufferAllocator
  ) -> ByteBuffer {
    var bytes = allocator.buffer(capacity: 512 + body.count)
    bytes.writeStatusLine(status)
    bytes.writeString(Self.constantHeaders)
    bytes.writeString(HTTPDate.now)
    bytes.writeString("\r\nx-request-id: ")
    bytes.writeString(requestID)
    for (name, credits) in headers { bytes.writeHeader(name.canonicalName, String(credits)) }
    if closes { bytes.writeString("\r\nconnection: close") }
    bytes.writeString("\r\ncontent-length: ")
    bytes.writeString(String(body.count))
    bytes.writeString("\r\n\r\n")
    if hasBody { bytes.writeBytes(body) }
    return bytes
  }

  private static let constantHeaders =
    "\r\ncontent-type: \(contentType)\r\nserver: \(API.serverName)\r\ndate: "
}

extension ByteBuffer {
  /// Without the end of the line: each header brings the one before it.
  mutating func writeStatusLine(_ status: HTTPResponse.Status) {
    writeString("HTTP/1.1 ")
    writeString(String(status.code))
    writeString(" ")
    writeString(status.reasonPhrase)
  }

  mutating func writeHeader(_ name: String, _ value: String) {
    writeString("\r\n")
    writeString(name)
    writeString(": ")
    writeString(value)
  }
}
