import NIOCore

/// One message of PostgreSQL's protocol, version 3, as it goes over the wire.
struct WireMessage {
  enum Kind: Sendable, Hashable {
    case parse, bind, describe, execute, sync
    case parseComplete, bindComplete, rowDescription, dataRow, commandComplete, readyForQuery
  }

  enum Direction: Sendable {
    case toServer, toClient
  }

  /// `nil` for a message that no fault can name.
  let kind: Kind?
  let direction: Direction
  let bytes: ByteBuffer

  init(_ bytes: ByteBuffer, type: UInt8, _ direction: Direction) {
    self.bytes = bytes
    self.direction = direction
    kind = Self.kinds(direction)[type]
  }

  private static func kinds(_ direction: Direction) -> [UInt8: Kind] {
    switch direction {
    case .toServer: toServer
    case .toClient: toClient
    }
  }

  private static let toServer: [UInt8: Kind] = [
    UInt8(ascii: "P"): .parse, UInt8(ascii: "B"): .bind, UInt8(ascii: "D"): .describe,
    UInt8(ascii: "E"): .execute, UInt8(ascii: "S"): .sync,
  ]

  private static let toClient: [UInt8: Kind] = [
    UInt8(ascii: "1"): .parseComplete, UInt8(ascii: "2"): .bindComplete,
    UInt8(ascii: "T"): .rowDescription, UInt8(ascii: "D"): .dataRow,
    UInt8(ascii: "C"): .commandComplete, UInt8(ascii: "Z"): .readyForQuery,
  ]

  /// The statement that a Parse or a Bind is about.
  var statement: String? {
    switch kind {
    case .parse: text(0)
    // After the name of the portal.
    case .bind: text(1)
    default: nil
    }
  }

  /// One of the texts that the message begins with, each ended by a zero byte.
  private func text(_ index: Int) -> String? {
    let body = bytes.readableBytesView.dropFirst(5)
    let texts = body.split(separator: 0, maxSplits: index + 1, omittingEmptySubsequences: false)
    return index < texts.count ? String(decoding: texts[index], as: UTF8.self) : nil
  }
}

/// Cuts a stream of bytes into messages.
struct WireFraming {
  private static let encryptionRequests: Set<UInt32> = [80_877_103, 80_877_104]

  private let direction: WireMessage.Direction
  private var bytes = ByteBuffer()
  /// What a client sends first has a length, but no type.
  private var isStarting: Bool

  init(_ direction: WireMessage.Direction) {
    self.direction = direction
    isStarting = direction == .toServer
  }

  enum Part {
    case message(WireMessage)
    /// To be refused, or there would be nothing to read.
    case encryptionRequest
  }

  mutating func append(_ more: ByteBuffer) { bytes.writeImmutableBuffer(more) }

  mutating func next() -> Part? {
    let start = bytes.readerIndex
    let lengthAt = isStarting ? start : start + 1
    guard let length = bytes.getInteger(at: lengthAt, as: UInt32.self),
      let message = bytes.readSlice(length: Int(length) + lengthAt - start)
    else { return nil }
    guard isStarting else {
      let type = message.getInteger(at: message.readerIndex, as: UInt8.self)
      return .message(WireMessage(message, type: type ?? 0, direction))
    }
    let code = message.getInteger(at: message.readerIndex + 4, as: UInt32.self)
    if let code, Self.encryptionRequests.contains(code) { return .encryptionRequest }
    isStarting = false
    return .message(WireMessage(message, type: 0, direction))
  }
}
