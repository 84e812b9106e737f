import Testing

@testable import TollgateBench

@Suite struct ResponseTests {
  private static let whole =
    "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nX-A: b\r\n\r\n{\"price\":170}"

  private func read<T>(_ text: String, _ body: (Response?) throws -> T) throws -> T {
    try Array(text.utf8).withUnsafeBytes { try body(Response($0)) }
  }

  @Test func readsStatusAndBody() throws {
    try read(Self.whole) { response in
      #expect(response?.status == 200)
      #expect(response?.body.number(after: "\"price\":") == 170)
    }
  }

  @Test func waitsForTheRest() throws {
    for count in 0..<Self.whole.utf8.count {
      try read(String(decoding: Self.whole.utf8.prefix(count), as: UTF8.self)) {
        #expect($0 == nil)
      }
    }
  }

  @Test(arguments: ["Content-Length: 2", "content-length: 2"])
  func readsTheLengthInEitherCase(header: String) throws {
    try read("HTTP/1.1 402 Payment Required\r\n\(header)\r\n\r\n{}") {
      #expect($0?.status == 402)
      #expect($0?.body.count == 2)
    }
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\n\r\n{}", "HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n",
    "\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1",
    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
  ])
  func refusesWhatItCannotCount(text: String) {
    #expect(throws: WrongAnswer.self) { try read(text) { _ in } }
  }

  @Test func findsNothingWhereNothingIs() {
    Array("{\"price\":".utf8).withUnsafeBytes { bytes in
      #expect(bytes.position(after: "\"charged\":", from: 0) == nil)
      #expect(bytes.position(after: "\"price\":", from: 3) == nil)
      #expect(bytes.number(after: "\"price\":") == nil)
    }
  }
}
