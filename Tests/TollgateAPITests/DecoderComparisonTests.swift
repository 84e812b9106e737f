import NIOCore
import NIOEmbedded
import NIOHTTP1
import ReferenceLedger
import Testing

@testable import TollgateAPI

/// NIO's decoder as it is used here, given no more than belongs to one request, beside one that is
/// given all at once, on what is nearly HTTP: both must find the same requests.
@Suite struct DecoderComparisonTests {
  private static let heads = [
    "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /b?c=d HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nX: \t y \r\n\r\n",
    "PUT /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "POST /e HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      + "a;b=c\r\n0123456789\r\n1\r\nx\r\n0\r\nd: e\r\n\r\n",
    "DELETE /f HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "POST /g HTTP/1.1\r\nhost: a\r\ncontent-length: 11\r\nExpect: 100-continue\r\n\r\nGET / HTTP/",
  ]

  private static let insertions = [
    "\r\n", "\n", "\r", " ", ":", ";", ",", "0", "1", "f", "\u{0}", "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n", "Host: b\r\n", " x\r\n",
    "0\r\n\r\n", "GET /z HTTP/1.1\r\nHost: z\r\n\r\n", "+", "-", "chunked", "\r\n\r\n",
  ]

  /// Ours is given it in pieces of any length.
  @Test func whatOursReadsNIOsReadsTheSame() throws {
    var random = SeededRandom(seed: 14)
    for _ in 1...10_000 {
      let stream = Self.stream(Self.heads, &random)
      let ours = Reading(stream, pieces: [nil, 1, 2, 5, 100].randomElement(using: &random)!)
      let theirs = TheirReading(stream)
      guard Self.agree(ours, theirs) else {
        let text = String(decoding: stream, as: UTF8.self)
        Issue.record("\(text.debugDescription)\nours: \(ours)\ntheirs: \(theirs)")
        return
      }
    }
  }

  /// Ours may refuse what theirs takes, but not the other way round. Two things are not the
  /// parser's with us: which methods there are, and that nothing comes after a last request.
  private static func agree(_ ours: Reading, _ theirs: TheirReading) -> Bool {
    switch (ours.error, theirs.error) {
    case (nil, nil): ours.parts == theirs.parts
    case (_, .invalidMethod?), (_, .closedConnection?):
      ours.parts.begins(with: theirs.parts) || theirs.parts.begins(with: ours.parts)
    default: theirs.parts.begins(with: ours.parts)
    }
  }

  /// NIO's own stops behind these, so ours is compared with itself, which is given all at once.
  @Test func whatFollowsTheOfferOfAnotherProtocolIsReadTheSameInPieces() {
    var random = SeededRandom(seed: 41)
    for _ in 1...3_000 {
      let stream = Self.stream(Self.heads + Self.offers, &random)
      let whole = Reading(stream)
      let pieces = Reading(stream, pieces: Int.random(in: 1...40, using: &random))
      guard pieces.error == whole.error, pieces.parts.complete == whole.parts.complete else {
        let text = String(decoding: stream, as: UTF8.self)
        Issue.record("\(text.debugDescription)\nwhole: \(whole)\nin pieces: \(pieces)")
        return
      }
    }
  }

  private static let offers = [
    "GET /h HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "POST /i HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nhi",
    "POST /j HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "CONNECT k:1 HTTP/1.1\r\nHost: k\r\n\r\n",
  ]

  private static func stream(_ heads: [String], _ random: inout SeededRandom) -> [UInt8] {
    var stream = (1...3).flatMap { _ in Array(heads.randomElement(using: &random)!.utf8) }
    for _ in 0..<Int.random(in: 0...3, using: &random) {
      let place = Int.random(in: 0..<stream.count, using: &random)
      switch Int.random(in: 0...3, using: &random) {
      case 0: stream.remove(at: place)
      case 1: stream[place] = UInt8.random(in: 0...255, using: &random)
      default:
        stream.insert(contentsOf: Array(insertions.randomElement(using: &random)!.utf8), at: place)
      }
    }
    return stream
  }
}

extension [Reading.Part] {
  /// Without a body that has not ended: how much of it comes before an error depends on the pieces.
  fileprivate var complete: Self {
    if case .body? = last { dropLast() } else { self }
  }

  /// Whether the parts of another reading, which ended before or within a body, are the first ones.
  fileprivate func begins(with other: [Reading.Part]) -> Bool {
    guard case .body(let text)? = other.last else { return starts(with: other) }
    guard count >= other.count, starts(with: other.dropLast()),
      case .body(let more) = self[other.count - 1]
    else { return false }
    return more.utf8.starts(with: text.utf8)
  }
}

/// What NIO's decoder makes of a stream.
private struct TheirReading {
  private(set) var parts: [Reading.Part] = []
  private(set) var error: HTTPParserError?

  init(_ stream: [UInt8]) {
    let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder()))
    do {
      try channel.writeInbound(ByteBuffer(bytes: stream))
    } catch {
      self.error = error as? HTTPParserError ?? .unknown
    }
    while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) { add(part) }
    _ = try? channel.finish(acceptAlreadyClosed: true)
  }

  private mutating func add(_ part: HTTPServerRequestPart) {
    switch part {
    case .head(let head):
      parts.append(.head(method: head.method.rawValue, target: head.uri))
    case .body(let bytes):
      let text = String(buffer: bytes)
      if case .body(let before)? = parts.last {
        parts[parts.count - 1] = .body(before + text)
      } else {
        parts.append(.body(text))
      }
    case .end: parts.append(.end)
    }
  }
}
