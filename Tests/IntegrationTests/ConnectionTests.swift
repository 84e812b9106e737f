import TestSupport
import Testing
import Tollgate

extension Integration {
  /// What a connection does, byte by byte, whatever carries the requests behind it.
  @Suite struct ConnectionTests {
    private static let hold =
      #"{"account_id": "a", "operation": "personas.generate", "quantities": {"count": 1}}"#

    @Test func requestsSentAtOnceAreAnsweredInTheirOrder() async throws {
      try await withGate { gate in
        let ids = (1...20).map { "id-\($0)" }
        // Actions that wait for the database, that do not, and requests that are no actions.
        let requests = ids.enumerated().map { index, id in
          switch index % 4 {
          case 0: gate.raw("actions/reserve", Self.hold, id: id)
          case 1: gate.raw("actions/reserve", "{", id: id)
          case 2: gate.raw("projections/balance", #"{"account_id": "a"}"#, id: id)
          default: gate.raw("actions/nothing", "{}", id: id)
          }
        }
        try await withConnection(to: gate.port) { connection in
          try await connection.send(requests.joined())
          for (index, id) in ids.enumerated() {
            let reply = try #require(try await connection.reply())
            #expect(reply.header("x-request-id") == id)
            #expect(reply.status == [200, 422, 200, 404][index % 4], "\(reply.text)")
          }
        }
        #expect(try await gate.balance().integer("reserved") == 425)
      }
    }

    @Test func thousandsOfRequestsSentAtOnceAreAnswered() async throws {
      try await withGate { gate in
        let request = "POST /v1/credits/actions/reserve HTTP/1.1\r\nHost: a\r\n\r\n"
        let held = gate.raw("actions/reserve", Self.hold)
        try await withConnection(to: gate.port) { connection in
          // The first waits for the database, so the others queue up behind it.
          try await connection.send(
            held + String(repeating: request, count: 5_000) + held)
          #expect(try await connection.status() == 200)
          for _ in 1...5_000 { try #require(try await connection.status() == 401) }
          #expect(try await connection.status() == 200)
        }
      }
    }

    @Test func whoShowsNoTokenIsRefusedBeforeTheBodyHasCome() async throws {
      try await withGate { gate in
        try await withConnection(to: gate.port) { connection in
          try await connection.send(
            "POST /v1/credits/actions/reserve HTTP/1.1\r\nHost: a\r\n"
              + "Content-Length: 1000\r\n\r\n{")
          #expect(try await connection.status() == 401)
          // The rest of the body is no request.
          try await connection.send(
            String(repeating: " ", count: 999) + gate.raw("actions/reserve", Self.hold))
          #expect(try await connection.status() == 200)
        }
      }
    }

    @Test func nothingIsDoneAfterTheRequestThatAskedToClose() async throws {
      try await withGate { gate in
        for path in ["actions/reserve", "projections/balance"] {
          try await withConnection(to: gate.port) { connection in
            try await connection.send(
              gate.raw(path, Self.hold, headers: ["Connection: close"])
                + gate.raw("actions/reserve", Self.hold))
            #expect(try await connection.reply()?.header("connection") == "close")
            #expect(try await connection.status() == nil)
          }
        }
        #expect(try await gate.balance().integer("reserved") == 85)
      }
    }

    @Test func aRequestMayComeInPieces() async throws {
      try await withGate { gate in
        try await withConnection(to: gate.port) { connection in
          for character in gate.raw("actions/reserve", Self.hold) {
            try await connection.send(String(character))
          }
          #expect(try await connection.status() == 200)
        }
      }
    }

    @Test func aBodyMayBeChunked() async throws {
      try await withGate { gate in
        let head = gate.head("actions/reserve", ["Transfer-Encoding: chunked"])
        let chunks = Self.hold.map { "1\r\n\($0)\r\n" }.joined() + "0\r\n\r\n"
        try await withConnection(to: gate.port) { connection in
          for _ in 1...2 {
            try await connection.send(head + chunks)
            #expect(try await connection.status() == 200)
          }
        }
      }
    }

    @Test func whatIsTooLargeIsRefusedBeforeItHasAllComeAndTheConnectionStays() async throws {
      try await withGate { gate in
        let large = String(repeating: " ", count: (1 << 20) + 1)
        try await withConnection(to: gate.port) { connection in
          try await connection.send(
            gate.head("actions/reserve", ["Content-Length: \(large.count + 1)"]) + large)
          let refusal = try #require(try await connection.reply())
          #expect(refusal.status == 413)
          refusal.expectEnvelope()
          try await connection.send(" " + gate.raw("actions/reserve", Self.hold))
          #expect(try await connection.status() == 200)
        }
      }
    }

    @Test func whoHasNoKeyIsNotToldThatABodyIsTooLarge() async throws {
      try await withGate { gate in
        let body = String(repeating: " ", count: (1 << 20) + 1)
        try await withConnection(to: gate.port) { connection in
          try await connection.send(gate.raw("actions/reserve", body, token: "sk_unknown"))
          #expect(try await connection.status() == 401)
        }
      }
    }

    @Test(arguments: ["actions/reserve", "actions/nothing"])
    func aConnectionIsClosedWhenAsked(path: String) async throws {
      try await withGate { gate in
        try await withConnection(to: gate.port) { connection in
          try await connection.send(gate.raw(path, Self.hold, headers: ["Connection: close"]))
          let reply = try #require(try await connection.reply())
          #expect(reply.status == (path == "actions/reserve" ? 200 : 404))
          #expect(try await connection.status() == nil)
        }
      }
    }

    @Test func aClientThatSendsNoMoreIsStillAnswered() async throws {
      try await withGate { gate in
        _ = try await gate.hold()
        try await withConnection(to: gate.port) { connection in
          async let lock: Void = gate.lockAccounts(seconds: 0.3)
          try await connection.send(gate.raw("actions/reserve", Self.hold))
          connection.finishSending()
          #expect(try await connection.status() == 200)
          #expect(try await connection.status() == nil)
          try await lock
        }
      }
    }

    @Test func aClientThatGoesAwayLeavesItsActionToHappen() async throws {
      try await withGate { gate in
        _ = try await gate.hold()
        async let lock: Void = gate.lockAccounts(seconds: 0.3)
        try await Task.sleep(for: .milliseconds(50))
        try await withConnection(to: gate.port) { connection in
          try await connection.send(gate.raw("actions/reserve", Self.hold))
          try await Task.sleep(for: .milliseconds(50))
        }
        try await lock
        _ = try await gate.hold()
        #expect(try await gate.balance().integer("reserved") == 255)
      }
    }

    @Test func whatIsNotHTTPIsRefused() async throws {
      try await withGate { gate in
        for request in ["nonsense\r\n\r\n", gate.raw("actions/reserve", "{}") + "nonsense\r\n\r\n"]
        {
          try await withConnection(to: gate.port) { connection in
            try await connection.send(request)
            var statuses: [Int] = []
            while let reply = try await connection.reply() { statuses.append(reply.status) }
            #expect(statuses == (request.hasPrefix("n") ? [400] : [422, 400]))
          }
        }
      }
    }

    @Test func aQueryChangesNothingAndOtherMethodsAreNoActions() async throws {
      try await withGate { gate in
        let queried = try await gate.post("actions/reserve?a=b", Self.hold)
        #expect(queried.status == 200)
        let put = try await gate.send(.put, "actions/reserve", "{}", as: .service)
        #expect(put.status == 404)
        let longer = try await gate.post("actions/reserve/more", "{}")
        #expect(longer.status == 404)
      }
    }

    @Test func aStoppingWorkerAnswersWhatIsInFlightAndCloses() async throws {
      try await withGate { gate in
        _ = try await gate.hold()
        try await withStoppableWorker(gate.databaseURL) { port, stop in
          try await withConnection(to: port) { idle in
            try await withConnection(to: port) { connection in
              async let lock: Void = gate.lockAccounts(seconds: 0.3)
              try await Task.sleep(for: .milliseconds(50))
              try await connection.send(gate.raw("actions/reserve", Self.hold))
              try await Task.sleep(for: .milliseconds(100))
              stop()
              let reply = try #require(try await connection.reply())
              #expect(reply.status == 200)
              #expect(reply.header("connection") == "close")
              #expect(try await connection.status() == nil)
              try await lock
            }
            #expect(try await idle.status() == nil)
          }
        }
      }
    }
  }
}

extension TestGate {
  /// Makes every action on existing accounts wait.
  func lockAccounts(seconds: Double) async throws {
    try await execute(
      """
      BEGIN; SELECT FROM tollgate_data.accounts FOR UPDATE; SELECT pg_sleep(\(seconds)); COMMIT
      """)
  }
}
