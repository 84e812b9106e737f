import NIOCore
import TestSupport
import Testing
import Tollgate
import TollgateAPI
import TollgateStore

extension Integration {
  /// What strangers, odd clients and slow readers can do to a worker.
  @Suite struct DoorTests {
    private static let hold =
      #"{"account_id": "a", "operation": "personas.generate", "quantities": {"count": 1}}"#
    private static let reader = #"{"account_id": "a"}"#
    private static let batch = "actions/batch"
    private static let largest = 8 << 20
    /// More is not waited for.
    private static let dropped = DoorLimits().dropped

    // MARK: No connection goes deaf

    private static let offers = [
      ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAB"],
      ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"],
    ]

    @Test(arguments: ["actions/reserve", "projections/balance", "actions/nothing"])
    func aConnectionIsOfUseAfterTheOfferOfAnotherProtocol(path: String) async throws {
      try await withGate { gate in
        for offer in Self.offers {
          try await withConnection(to: gate.port) { connection in
            for _ in 1...3 {
              try await connection.send(gate.raw(path, Self.hold, headers: offer))
              #expect(try await connection.status() == (path == "actions/nothing" ? 404 : 200))
            }
          }
        }
      }
    }

    @Test func aConnectionIsOfUseAfterARequestForATunnel() async throws {
      try await withGate { gate in
        try await withConnection(to: gate.port) { connection in
          try await connection.send("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n")
          #expect(try await connection.status() == 404)
          try await connection.send(gate.raw("actions/reserve", Self.hold))
          #expect(try await connection.status() == 200)
        }
      }
    }

    // MARK: A body is kept of nobody but who may send it

    @Test(arguments: [
      ("actions/batch", "sk_unknown", 401), ("actions/grant", nil, 403),
      ("projections/balance", "sk_unknown", 401), ("actions/nothing", "sk_unknown", 401),
    ])
    func whoMayNotIsRefusedFromTheHead(path: String, token: String?, status: Int) async throws {
      try await withGate { gate in
        try await withConnection(to: gate.port) { connection in
          let length = ["Content-Length: \(Self.largest / 8)"]
          try await connection.send(gate.head(path, length, token: token))
          let refusal = try #require(try await connection.reply())
          #expect(refusal.status == status)
          refusal.expectEnvelope()
        }
      }
    }

    @Test func anEarlyRefusalReachesAClientThatSendsAllFirst() async throws {
      try await withGate { gate in
        let body = String(repeating: " ", count: Self.largest)
        try await withConnection(to: gate.port) { connection in
          try await connection.send(gate.raw(Self.batch, body, token: "sk_unknown"))
          #expect(try await connection.status() == 401)
          try await connection.send(gate.raw("actions/reserve", Self.hold))
          #expect(try await connection.status() == 200)
        }
        // Closed after it, as the client wants it, but not before it has sent all.
        try await withConnection(to: gate.port) { connection in
          try await connection.send(
            gate.raw(Self.batch, body, token: "sk_unknown", headers: ["Connection: close"]))
          #expect(try await connection.status() == 401)
          #expect(try await connection.status() == nil)
        }
        // Too much to wait for: answered, then closed.
        try await withConnection(to: gate.port) { connection in
          try await connection.send(
            gate.head(Self.batch, ["Content-Length: \(Self.dropped + 1)"], token: "sk_unknown"))
          try await connection.send(body)
          let refusal = try #require(try await connection.reply())
          #expect(refusal.status == 401)
          #expect(refusal.header("connection") == "close")
          #expect(try await connection.status() == nil)
        }
      }
    }

    @Test func aRequestHasADeadlineAsAWhole() async throws {
      try await withGate { gate in
        try await withStoppableWorker(gate.databaseURL, { $0.door.request = .seconds(1) }) {
          port, _ in
          for part in ["POST /v1/credits/", gate.head("actions/reserve", ["Content-Length: 1000"])]
          {
            try await withConnection(to: port) { connection in
              try await connection.send(part)
              let writer = connection.writer
              async let dribble: Void = writer.dribble("x", times: 200)
              #expect(try await connection.status() == 408)
              #expect(try await connection.status() == nil)
              try? await dribble
            }
          }
        }
      }
    }

    @Test func aConnectionThatBringsNothingIsClosed() async throws {
      try await withGate { gate in
        try await withStoppableWorker(gate.databaseURL, { $0.door.request = .seconds(1) }) {
          port, _ in
          let status = try await withConnection(to: port) { try await $0.status() }
          #expect(status == nil)
        }
      }
    }

    @Test func connectionsOverTheLimitAreRefusedAtOnce() async throws {
      try await withGate { gate in
        try await withStoppableWorker(gate.databaseURL, { $0.door.connections = 2 }) { port, _ in
          try await withConnection(to: port) { first in
            try await withConnection(to: port) { _ in
              try await withConnection(to: port) { third in
                let refusal = try #require(try await third.reply())
                #expect(refusal.status == 503)
                refusal.expectEnvelope()
                #expect(try await third.status() == nil)
              }
            }
            try await first.send(gate.raw("actions/reserve", Self.hold))
            #expect(try await first.status() == 200)
          }
          // The others are gone, so there is room.
          try await withConnection(to: port) { connection in
            try await connection.send(gate.raw("actions/reserve", Self.hold))
            #expect(try await connection.status() == 200)
          }
        }
      }
    }

    // MARK: Nothing is read while what was written waits

    @Test func requestsWaitWhileTheirClientDoesNotRead() async throws {
      try await withGate { gate in
        let request = "POST /v1/credits/actions/quote HTTP/1.1\r\nHost: a\r\n\r\n"
        let all = String(repeating: request, count: 200_000)
        try await withConnection(to: gate.port) { connection in
          let writer = connection.writer
          async let sent: Void? = try? writer.send(all)
          try await Task.sleep(for: .seconds(3))
          let answered = try await gate.counter(
            #"tollgate_requests_total{action="quote",status="4xx"}"#)
          // What the kernel's buffers hold of answers, and no more.
          #expect(answered > 100)
          #expect(answered < 60_000)
          for _ in 1...1_000 { try #require(try await connection.status() == 401) }
          connection.close()
          _ = await sent
        }
      }
    }

    // MARK: A stop

    @Test func aStopHasABound() async throws {
      try await withGate { gate in
        try await withStoppableWorker(gate.databaseURL, { $0.stopSeconds = 4 }) { port, stop in
          try await withConnection(to: port) { connection in
            try await connection.send(gate.head("actions/reserve", ["Content-Length: 1000"]))
            stop()
            await #expect(throws: (any Error).self) {
              try await connection.writer.dribble("x", times: 400)
            }
          }
        }
      }
    }

    @Test func aStoppingWorkerFinishesTheRequestThatItHasLetInAndNoOther() async throws {
      try await withGate { gate in
        _ = try await gate.hold()
        try await withStoppableWorker(gate.databaseURL) { port, stop in
          try await withConnection(to: port) { connection in
            let request = gate.raw("actions/reserve", Self.hold)
            try await connection.send(request)
            #expect(try await connection.status() == 200)
            async let lock: Void = gate.lockAccounts(seconds: 1)
            try await Task.sleep(for: .milliseconds(200))
            try await connection.send(request + request + request)
            try await Task.sleep(for: .milliseconds(300))
            stop()
            let reply = try #require(try await connection.reply())
            #expect(reply.status == 200)
            #expect(reply.header("connection") == "close")
            #expect(try await connection.status() == nil)
            try await lock
          }
        }
        #expect(try await gate.balance().integer("reserved") == 255)
      }
    }

    @Test func aRequestOnItsWayWhenTheWorkerStopsIsAnswered() async throws {
      try await withGate { gate in
        try await withStoppableWorker(gate.databaseURL) { port, stop in
          try await withConnection(to: port) { connection in
            try await connection.send(gate.raw("actions/reserve", Self.hold))
            #expect(try await connection.status() == 200)
            stop()
            // It takes a moment until the connection hears of it.
            for _ in 1...10_000 {
              try await connection.send(gate.raw("projections/balance", Self.reader))
              let reply = try #require(try await connection.reply())
              #expect(reply.status == 200)
              if reply.header("connection") == "close" { return }
            }
            Issue.record("the worker does not stop")
          }
        }
      }
    }

    @Test(arguments: ["actions/reserve", "projections/balance"])
    func whoStopsSendingWithinARequestIsRefusedAndTheConnectionClosed(path: String) async throws {
      try await withGate { gate in
        for request in [
          gate.head(path, ["Content-Length: 1000"]) + "{",
          gate.head(path, ["Transfer-Encoding: chunked"]) + "3\r\nab", "POST /v1/cre",
        ] {
          try await withConnection(to: gate.port) { connection in
            try await connection.send(request)
            connection.finishSending()
            let refusal = try #require(try await connection.reply())
            #expect(refusal.status == 400)
            refusal.expectEnvelope()
            #expect(try await connection.status() == nil)
          }
        }
      }
    }

    // MARK: The same on every route

    @Test func aLineEndBehindTheLastRequestIsNone() async throws {
      try await withGate { gate in
        try await withConnection(to: gate.port) { connection in
          try await connection.send(gate.raw("projections/balance", Self.reader) + "\r\n")
          connection.finishSending()
          #expect(try await connection.status() == 200)
          #expect(try await connection.status() == nil)
        }
      }
    }

    /// `#` stands for a path.
    private static let odd: [(String, Int)] = [
      ("POST # HTTP/1.1\r\n\r\n", 400),
      ("POST # HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
      ("POST # HTTP/1.1\r\nHost : a\r\n\r\n", 400),
      ("POST # HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n@\r\nx\r\n", 400),
      ("POST # HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n@\r\n", 413),
      ("POST # HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n@\r\n", 400),
      ("POST # HTTP/1.1\r\nHost: a\r\nExpect: more\r\n@\r\n", 417),
      ("POST # HTTP/1.1\r\nHost: a\r\nContent-Length: 19 \r\n@\r\n\(reader)", 200),
      ("POST http://a# HTTP/1.1\r\nHost: b\r\nContent-Length: 19\r\n@\r\n\(reader)", 200),
      ("\r\nPOST # HTTP/1.1\r\nHost: a\r\nContent-Length: 19\r\n@\r\n\(reader)", 200),
    ]

    @Test(arguments: ["actions/quote", "projections/balance"])
    func oddRequestsGetTheSameAnswerOnEveryRoute(path: String) async throws {
      try await withGate { gate in
        for (text, status) in Self.odd {
          let request = text.replacing("#", with: "/v1/credits/" + path)
            .replacing("@", with: "Authorization: Bearer \(gate.serviceKey)\r\n")
          try await withConnection(to: gate.port) { connection in
            try await connection.send(request)
            let reply = try #require(try await connection.reply())
            // A quote of no operation is unprocessable, which only an understood request can be.
            let expected = status == 200 && path == "actions/quote" ? 422 : status
            #expect(reply.status == expected, "\(text): \(reply.text)")
            reply.expectEnvelope()
          }
        }
      }
    }

    @Test(arguments: ["actions/quote", "projections/balance"])
    func whoAsksIsToldToGoOn(path: String) async throws {
      try await withGate { gate in
        try await withConnection(to: gate.port) { connection in
          for _ in 1...2 {
            try await connection.send(
              gate.head(path, ["Content-Length: 19", "Expect: 100-continue"]))
            #expect(try await connection.status() == 100)
            try await connection.send(Self.reader)
            #expect(try await connection.status() == (path == "actions/quote" ? 422 : 200))
          }
        }
      }
    }

    @Test func aFaultOfOursWithinABatchHasATraceID() async throws {
      var deadlines = Deadlines.patient
      deadlines.batch = .milliseconds(500)
      try await withGate(deadlines: deadlines) { gate in
        _ = try await gate.hold()
        async let lock: Void = gate.lockAccounts(seconds: 1.5)
        try await Task.sleep(for: .milliseconds(200))
        let action = #"{"action": "reserve", "body": \#(Self.hold)}"#
        let reply = try await gate.send(
          .post, Self.batch, #"{"actions": [\#(action), \#(action)]}"#, as: .service,
          headers: ["x-request-id": "id-1"])
        guard case .array(let results)? = reply["results"] else {
          Issue.record("no results: \(reply.text)")
          return
        }
        for result in results {
          #expect([.integer(502), .integer(503)].contains(result["status"]))
          #expect(result["body"]?["error"]?["trace_id"] == .string("id-1"))
        }
        try await lock
      }
    }

    // MARK: One spelling of a path

    @Test func aPathHasOneSpelling() async throws {
      try await withGate { gate in
        for path in [
          "/metrics/", "//metrics", "/%6detrics", "/%2Fmetrics", "/./metrics", "/health/live/",
          "/health//live",
          "/v1/credits/actions/quote/", "/v1/credits/actions//quote", "//v1/credits/actions/quote",
          "/v1/credits/projections/balance/", "/v1/credits//projections/balance",
          "/v1/credits/repositories/Reservation/by-id/x/",
        ] {
          for method in ["GET", "POST"] {
            try await withConnection(to: gate.port) { connection in
              try await connection.send(
                "\(method) \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 19\r\n"
                  + "Authorization: Bearer \(gate.serviceKey)\r\n\r\n\(Self.reader)")
              let reply = try #require(try await connection.reply())
              #expect(reply.status == 404, "\(method) \(path)")
              reply.expectEnvelope()
            }
          }
        }
      }
    }

    // MARK: The event loop

    /// There is one event loop for two processors, and it serves both connections.
    @Test func aSmallRequestOvertakesALargeOne() async throws {
      try await withGate { gate in
        _ = try await gate.hold()
        let large = #"{"operation": "personas.generate", "input": {"a": [\#(Self.zeros)]}}"#
        let quote = #"{"operation": "personas.generate", "input": {"count": 1}}"#
        let order = try await withThrowingTaskGroup(of: String.self) { group in
          group.addTask {
            try await withConnection(to: gate.port) { connection in
              for _ in 1...3 { try await connection.send(gate.raw("actions/quote", large)) }
              for _ in 1...3 { #expect(try await connection.status() == 200) }
            }
            return "large"
          }
          group.addTask {
            try await Task.sleep(for: .milliseconds(100))
            try await withConnection(to: gate.port) { connection in
              try await connection.send(gate.raw("actions/quote", quote))
              #expect(try await connection.status() == 200)
            }
            return "small"
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(order == ["small", "large"])
      }
    }

    private static let zeros = String(repeating: "0,", count: 400_000) + "0"

    @Test func aRequestNamesNoMoreThanAPriceBookCan() async throws {
      try await withGate { gate in
        let id = try await gate.hold()
        func members(_ count: Int) -> String {
          "{" + (1...count).map { #""c\#($0)": 1"# }.joined(separator: ", ") + "}"
        }
        let generate = #""account_id": "a", "operation": "personas.generate""#
        for (path, fields) in [
          ("actions/capture", #""reservation_id": "\#(id)", "credits": \#(members(17))"#),
          ("actions/extend", #""reservation_id": "\#(id)", "credits": \#(members(17))"#),
          ("actions/capture", #""reservation_id": "\#(id)", "quantities": \#(members(33))"#),
          ("actions/extend", #""reservation_id": "\#(id)", "quantities": \#(members(33))"#),
          ("actions/reserve", #"\#(generate), "quantities": \#(members(33))"#),
          ("actions/quote", #"\#(generate), "quantities": \#(members(33))"#),
        ] {
          let reply = try await gate.post(path, "{\(fields)}")
          #expect(reply.status == 422, "\(path): \(reply.text)")
          #expect(reply.detail?["type"] == .string("too_long"))
        }
      }
    }
  }
}

extension TestGate {
  /// What a line of `/metrics` says; 0 when there is none.
  fileprivate func counter(_ name: String) async throws -> Double {
    let lines = try await metrics().text.split(separator: "\n")
    let line = lines.first { $0.hasPrefix(name) }
    return line.flatMap { $0.split(separator: " ").last }.flatMap { Double($0) } ?? 0
  }
}
