import HTTPTypes
import NIOCore
import NIOEmbedded
import Testing

@testable import TollgateAPI

/// What our decoder makes of a text.
struct Reading {
  enum Part: Hashable {
    case head(method: String, target: String)
    case body(String)
    case end

    var body: String { if case .body(let text) = self { text } else { "" } }
  }

  /// The pieces of each body joined.
  private(set) var parts: [Part] = []
  private(set) var error: APIError?
  /// The last one.
  private(set) var head: RequestHead?

  /// - Parameter pieces: the bytes that come at a time; `nil` for all.
  init(_ text: String, pieces: Int? = nil) { self.init(Array(text.utf8), pieces: pieces) }

  init(_ text: [UInt8], pieces: Int? = nil) {
    let channel = DecodingChannel()
    var bytes = ByteBuffer()
    var rest = text[...]
    do {
      while !rest.isEmpty {
        let piece = rest.prefix(pieces ?? rest.count)
        rest.removeFirst(piece.count)
        bytes.writeBytes(piece)
        while let part = try channel.next(&bytes) { add(part) }
      }
    } catch let failure as APIError {
      error = failure
    } catch {
      Issue.record(error)
    }
  }

  private mutating func add(_ part: RequestDecoder.Part) {
    switch part {
    case .head(let head):
      self.head = head
      parts.append(.head(method: head.method.rawValue, target: head.target))
    case .body(let bytes): addBody(String(buffer: bytes))
    case .end: parts.append(.end)
    }
  }

  private mutating func addBody(_ text: String) {
    if case .body(let before)? = parts.last {
      parts[parts.count - 1] = .body(before + text)
    } else {
      parts.append(.body(text))
    }
  }
}

/// A connection in memory with nothing but a decoder.
final class DecodingChannel {
  private final class Holder: ChannelInboundHandler {
    typealias InboundIn = Never

    var context: ChannelHandlerContext?
    var decoder = RequestDecoder()

    func handlerAdded(context: ChannelHandlerContext) {
      self.context = context
      #expect(throws: Never.self) { try decoder.start(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { decoder.stop(context) }
  }

  private let holder = Holder()
  private let channel: EmbeddedChannel

  init() { channel = EmbeddedChannel(handler: holder) }

  deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

  var isBetweenRequests: Bool { holder.decoder.isBetweenRequests }

  func next(_ bytes: inout ByteBuffer) throws -> RequestDecoder.Part? {
    try holder.decoder.next(&bytes, #require(holder.context))
  }
}

extension APIError: Equatable {
  public static func == (one: APIError, other: APIError) -> Bool {
    one.status == other.status && one.code == other.code && one.message == other.message
  }
}
