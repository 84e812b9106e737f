import HTTPTypes
import NIOCore
import Testing

@testable import TollgateAPI

@Suite struct RequestDecoderTests {
  private static let host = "Host: a\r\n"

  private static func head(_ lines: String..., target: String = "/") -> String {
    (["GET \(target) HTTP/1.1"] + lines).map { $0 + "\r\n" }.joined() + "\r\n"
  }

  @Test(arguments: [
    "nonsense\r\n\r\n",
    "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /\r\n\r\n", "GET * HTTP/1.1\r\n\r\n",
    "GET a HTTP/1.1\r\n\r\n",
    "GET ftp://a/b HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\nHost: a\n\n",
    "GET / HTTP/1.1\r\nHost: a\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    head("Host: a", "Host: a"),
    head("Host: a/b"),
    "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /",
    head("Host : a"),
    head("Host: a", " folded: b"),
    head("Host: a", "b"),
    head("Host: a", ": b"),
    head("Host: a", "b: \u{0}"),
    head("Host: a", "b: c\rd: e"),
    head("Host: a", "Content-Length: -1"),
    head("Host: a", "Content-Length: +1"),
    head("Host: a", "Content-Length: 0x1"),
    head("Host: a", "Content-Length: 1, 1"),
    head("Host: a", "Content-Length:"),
    head("Host: a", "Content-Length: 1", "Content-Length: 1"),
    head("Host: a", "Content-Length: 1", "Transfer-Encoding: chunked"),
    head("Host: a", "Transfer-Encoding: chunked", "Content-Length: 1"),
    head("Host: a", "Transfer-Encoding: gzip"),
    head("Host: a", "Transfer-Encoding: gzip, chunked"),
    head("Host: a", "Transfer-Encoding: xchunked"),
    "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
  ])
  func whatTwoServersCouldReadInTwoWaysIsRefused(text: String) {
    #expect(Reading(text).error?.status == .badRequest)
  }

  @Test func aHeadHasALimit() {
    let filling = String(repeating: "x", count: RequestDecoder.headLimit - 100)
    #expect(Reading(Self.head("Host: a", "b: \(filling)")).error == nil)
    #expect(Reading(Self.head("Host: a", "b: \(filling)", "c: \(filling)")).error == .headTooLarge)
    // Refused before its end has come.
    #expect(Reading("GET /" + filling + filling).error == .headTooLarge)
    #expect(Reading(Self.chunked + "0\r\nb: \(filling)x\(filling)\r\n\r\n").error == .headTooLarge)
  }

  @Test(arguments: [
    ("/a?b", "/a?b"), ("http://host/a?b", "/a?b"), ("HTTP://host:80/a", "/a"),
    ("https://host", "/"), ("http://host?b", "/?b"),
    ("/a?u=http://host/b", "/a?u=http://host/b"),
  ])
  func anAbsoluteTargetIsReadByItsPath(target: String, path: String) {
    #expect(Reading(Self.head("Host: a", target: target)).head?.target == path)
  }

  @Test func whiteSpaceAroundAValueIsNotPartOfIt() {
    let head = Reading(Self.head("Host: a", "x-request-id:\t id \t", "Idempotency-Key: k  ")).head
    #expect(head?.headers.requestID == "id")
    #expect(head?.headers.idempotencyKey == "k")
    #expect(head?.fields[.requestID] == "id")
  }

  @Test func aHeaderThatIsRepeatedIsJoinedAndSoInvalid() {
    let head = Reading(Self.head("Host: a", "Authorization: Bearer a", "AUTHORIZATION: Bearer b"))
      .head
    #expect(head?.headers.authorization == "Bearer a, Bearer b")
    #expect(head?.headers.bearerToken == nil)
  }

  @Test(arguments: [
    ("HTTP/1.1", "b: c", true), ("HTTP/1.1", "Connection: close", false),
    ("HTTP/1.1", "Connection: Upgrade, CLOSE ", false), ("HTTP/1.1", "Connection: closed", true),
    ("HTTP/1.0", "Connection: keep-alive", false),
  ])
  func aConnectionIsKeptUnlessItsClientSaysOtherwise(version: String, header: String, isKept: Bool)
  {
    let head = Reading("GET / \(version)\r\n\(Self.host)\(header)\r\n\r\n").head
    #expect(head?.isKeptAlive == isKept)
  }

  @Test func aLengthThatNoIntegerHoldsIsTheLargest() {
    for (text, length) in [
      ("9223372036854775808", Int.max), ("18446744073709551615", Int.max), ("007", 7),
    ] {
      let head = Reading(Self.head("Host: a", "Content-Length: \(text)")).head
      #expect(head?.body == .length(length))
    }
  }

  @Test func theOnlyExpectationThatIsMetIsToBeToldToGoOn() {
    #expect(Reading(Self.head("Host: a", "Expect: 100-Continue")).head?.expectsContinue == true)
    #expect(Reading(Self.head("Host: a", "Expect: more")).error == .unmetExpectation)
  }

  @Test func emptyLinesBeforeARequestArePassedOver() {
    let text = String(repeating: "\r\n", count: 10_000) + Self.head("Host: a")
    #expect(Reading(text).parts == Reading(Self.head("Host: a")).parts)
  }

  @Test func emptyLinesBehindARequestBeginNone() throws {
    let channel = DecodingChannel()
    var bytes = ByteBuffer(string: Self.head("Host: a") + "\r\n\r\n")
    while try channel.next(&bytes) != nil {}
    #expect(channel.isBetweenRequests)
    #expect(bytes.readableBytes == 0)
  }

  private static let chunked = head("Host: a", "Transfer-Encoding: chunked")

  @Test(arguments: [
    ("3\r\nabc\r\n0\r\n\r\n", "abc"), ("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc"),
    ("3;a=\"b\"\r\nabc\r\n00\r\n\r\n", "abc"), ("0\r\n\r\n", ""),
    ("A\r\n0123456789\r\n0\r\na: b\r\nc: d\r\n\r\n", "0123456789"),
  ])
  func aBodyMayBeChunked(chunks: String, body: String) {
    let reading = Reading(Self.chunked + chunks + Self.head("Host: a"))
    #expect(reading.error == nil)
    #expect(reading.parts.map(\.body).joined() == body)
    #expect(reading.parts.filter { $0 == .end }.count == 2)
  }

  @Test(arguments: [
    "x\r\n", "\r\n", "-1\r\n", "+1\r\n", " 1\r\n", "1 \r\n", "0x1\r\n",
    "1\nabc", "1\r\nab\r\n", "1\r\na\n0", "1\r\na0\r\n", "0\r\nno field\r\n", "0\r\n a: b\r\n",
    "0\r\nContent-Length: 1\r\n", "1;\r\n", "1;a b\r\n", "1;a=\"\r\n",
    "1;\u{0}\r\n",
  ])
  func brokenChunksAreRefused(chunks: String) {
    #expect(Reading(Self.chunked + chunks).error?.status == .badRequest)
  }

  @Test func whatNobodyAsksForStaysBytes() throws {
    let channel = DecodingChannel()
    var bytes = ByteBuffer(string: String(repeating: Self.head("Host: a"), count: 3))
    let all = bytes.readableBytes
    _ = try channel.next(&bytes)
    #expect(bytes.readableBytes == all / 3 * 2)
  }

  @Test func whatFollowsTheOfferOfAnotherProtocolIsRead() {
    let offer = "Connection: Upgrade\r\nUpgrade: h2c\r\n"
    let text = [
      "GET /a HTTP/1.1\r\nHost: a\r\n\(offer)\r\n",
      "POST /b HTTP/1.1\r\nHost: a\r\n\(offer)Content-Length: 2\r\n\r\nhi",
      "POST /c HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "CONNECT d:1 HTTP/1.1\r\nHost: d\r\n\r\n", Self.head("Host: a", target: "/e"),
    ]
    for pieces in [nil, 1, 7] {
      let heads = Reading(text.joined(), pieces: pieces).parts.compactMap { part in
        if case .head(_, let target) = part { target } else { nil }
      }
      #expect(heads == ["/a", "/b", "/c", "d:1", "/e"])
    }
  }

  @Test func aRequestMayComeInAnyPieces() {
    let text =
      Self.head("Host: a", "Content-Length: 5") + "hello" + Self.chunked
      + "3\r\nabc\r\n0\r\na: b\r\n\r\n" + "\r\n" + Self.head("Host: a")
    let whole = Reading(text)
    for length in 1...text.utf8.count {
      #expect(Reading(text, pieces: length).parts == whole.parts)
    }
  }
}
