import HTTPTypes
import TestSupport
import Testing

extension Integration {
  /// `HEAD` is answered as `GET` is, without a body.
  @Suite struct HeadTests {
    @Test func headAnswersWithTheHeadersOfGetAndNoBody() async throws {
      try await withGate { gate in
        let id = try await gate.hold()
        for path in [
          "/health/live", "/health/ready", "/v1/credits/repositories/Reservation/by-id/\(id)",
          "/v1/credits/repositories/Reservation/by-id/no-id", "/nothing",
        ] {
          let get = try await gate.get(path)
          try await gate.expectHead(path, like: get)
        }
      }
    }

    /// What it counts grows meanwhile.
    @Test func headOfMetricsHasNoBody() async throws {
      try await withGate { gate in
        let head = try await gate.headThenLive("/metrics")
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(head.contains("text/plain; version=0.0.4"))
      }
    }

    @Test func headOfWhatNeedsAKeyNeedsIt() async throws {
      try await withGate { gate in
        let path = "/v1/credits/repositories/Reservation/by-id/x"
        let get = try await gate.get(path, as: .token(nil))
        #expect(get.status == 401)
        try await gate.expectHead(path, like: get, key: nil)
      }
    }
  }
}

extension TestGate {
  fileprivate func expectHead(_ path: String, like get: TestReply, key: String?) async throws {
    let head = try await headThenLive(path, key: key)
    let lines = head.split(separator: "\r\n")
    #expect(lines.first?.contains(" \(get.status) ") == true, "\(head)")
    let headers = lines.dropFirst().map { $0.lowercased() }
    for header in get.headers where !["x-request-id", "date"].contains(header.name.canonicalName) {
      #expect(headers.contains("\(header.name.canonicalName): \(header.value)".lowercased()))
    }
    #expect(headers.count == get.headers.count)
  }

  fileprivate func expectHead(_ path: String, like get: TestReply) async throws {
    try await expectHead(path, like: get, key: serviceKey)
  }

  /// The head of the answer to a HEAD. The next answer on the connection follows it directly.
  fileprivate func headThenLive(_ path: String, key: String? = nil) async throws -> String {
    let authorization = key.map { "Authorization: Bearer \($0)\r\n" } ?? ""
    return try await withConnection(to: port) { connection in
      try await connection.send("HEAD \(path) HTTP/1.1\r\nHost: localhost\r\n\(authorization)\r\n")
      let head = try await connection.head()
      try await connection.send("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
      let live = try await connection.reply()
      #expect(live?.text == #"{"status":"live"}"#)
      return head
    }
  }
}
