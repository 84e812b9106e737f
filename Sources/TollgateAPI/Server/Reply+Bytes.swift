import NIOCore

extension Reply {
  /// The whole response as it is sent.
  func bytes(
    requestID: String, closes: Bool, allocator: ByteBufferAllocator
  ) -> ByteBuffer {
    var bytes = allocator.buffer(capacity: 512 + body.count)
    bytes.writeString("HTTP/1.1 ")
    bytes.write(decimal: Int64(status.code))
    bytes.writeString(" ")
    bytes.writeString(status.reasonPhrase)
    bytes.writeString(Self.constantHeaders)
    bytes.writeString(HTTPDate.now)
    bytes.writeString("\r\nx-request-id: ")
    bytes.writeString(requestID)
    for (name, credits) in headers {
      bytes.writeString("\r\n")
      bytes.writeString(name.canonicalName)
      bytes.writeString(": ")
      bytes.write(decimal: credits)
    }
    if closes { bytes.writeString("\r\nconnection: close") }
    bytes.writeString("\r\ncontent-length: ")
    bytes.write(decimal: Int64(body.count))
    bytes.writeString("\r\n\r\n")
    bytes.writeBytes(body)
    return bytes
  }

  private static let constantHeaders =
    "\r\ncontent-type: \(contentType)\r\nserver: \(API.serverName)\r\ndate: "
}

extension ByteBuffer {
  fileprivate mutating func write(decimal number: Int64) { writeString(String(number)) }
}
