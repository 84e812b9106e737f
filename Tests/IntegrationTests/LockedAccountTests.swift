import TestSupport
import Testing
import TollgateStore

extension Integration {
  /// Somebody else has locked an account, or its books are broken: only that account's callers
  /// notice.
  @Suite struct LockedAccountTests {
    @Test(arguments: WireAction.allCases)
    func onlyTheLockedAccountWaits(action: WireAction) async throws {
      try await withGate { gate in
        let subject = try await gate.subject(of: action, "locked")
        try await gate.grant(1, to: "locked")
        try await TestLock.holding(accounts: "locked", in: gate.databaseURL) { lock in
          async let locked = gate.send(action, subject)
          try await gate.chargeOthers()
          #expect(try await gate.laneRetries() == 0)
          try await lock.letGo()
          #expect(try await locked.status == 200)
        }
        #expect(try await gate.violations() == [])
      }
    }

    @Test func anAccountThatIsBeingMadeKeepsNobodyElseWaiting() async throws {
      try await withGate { gate in
        let making = """
          INSERT INTO tollgate_data.accounts (account_id, tenant_id, external_id, created_at)
          VALUES (tollgate.account_id(\(gate.tenant), 'locked'), \(gate.tenant), 'locked', now())
          """
        try await TestLock.holding(making, in: gate.databaseURL) { lock in
          async let locked = gate.charge("locked")
          try await gate.chargeOthers()
          #expect(try await gate.laneRetries() == 0)
          try await lock.letGo()
          #expect(try await locked.status == 200)
        }
        #expect(try await gate.violations() == [])
      }
    }

    @Test func whoWaitsForALockedAccountIsAnsweredByTheDeadline() async throws {
      try await withGate(deadlines: Deadlines(.seconds(1))) { gate in
        #expect(try await gate.charge("locked").status == 200)
        try await TestLock.holding(accounts: "locked", in: gate.databaseURL) { _ in
          var codes: [String?] = []
          for _ in 0..<3 {
            let reply = try await gate.charge("locked", key: "k")
            #expect(reply.status == 503)
            reply.expectEnvelope()
            codes.append(reply.code)
          }
          // On a slow machine a last attempt may be under way when the time is up.
          #expect(codes.contains("ACCOUNT_LOCKED"))
        }
        #expect(try await gate.balance(of: "locked").integer("balance") == 915)
        #expect(try await gate.charge("locked", key: "k").status == 200)
        #expect(try await gate.balance(of: "locked").integer("balance") == 830)
      }
    }

    @Test func manyLockedAccountsKeepNobodyElseWaiting() async throws {
      try await withGate { gate in
        for index in 0..<4 { #expect(try await gate.charge("locked-\(index)").status == 200) }
        let locks = "PERFORM 1 FROM tollgate_data.accounts FOR UPDATE"
        try await TestLock.holding(locks, in: gate.databaseURL) { lock in
          async let locked = withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<4 {
              group.addTask { try await gate.charge("locked-\(index)").status }
            }
            return try await group.reduce(into: []) { $0.append($1) }
          }
          try await gate.chargeOthers()
          try await lock.letGo()
          #expect(try await locked == Array(repeating: 200, count: 4))
        }
        #expect(try await gate.violations() == [])
      }
    }

    @Test func actionsOnALockedAccountKeepTheirOrder() async throws {
      try await withGate { gate in
        try await gate.grant(1, to: "locked")
        try await TestLock.holding(accounts: "locked", in: gate.databaseURL) { lock in
          async let batch = gate.post(
            "actions/batch",
            """
            {"actions": [
              {"action": "reserve", "idempotency_key": "k", "body": {"account_id": "locked",
               "operation": "personas.generate", "quantities": {"count": 2}}},
              {"action": "capture", "body": {"account_id": "locked", "idempotency_key": "k",
               "credits": {"personas": 1}, "final": false}},
              {"action": "capture", "body": {"account_id": "locked", "idempotency_key": "k"}},
              {"action": "charge", "body": {"account_id": "other",
               "operation": "personas.generate", "quantities": {"count": 1}}}
            ]}
            """)
          try await gate.chargeOthers()
          try await lock.letGo()
          let reply = try await batch
          #expect(reply.text.contains(#""status":4"#) == false, "\(reply.text)")
          #expect(reply.text.contains(#""status":5"#) == false, "\(reply.text)")
        }
        #expect(try await gate.balance(of: "locked").integer("balance") == 1_001 - 170)
        #expect(try await gate.violations() == [])
      }
    }

    /// Its books are wrong, so that to end its hold would break a constraint.
    @Test func aBrokenAccountFailsAlone() async throws {
      try await withGate { gate in
        let id = try await gate.hold("broken")
        try await gate.execute(
          "UPDATE tollgate_data.accounts SET reserved = 0 WHERE external_id = 'broken'")
        async let broken = withThrowingTaskGroup(of: Int.self) { group in
          for _ in 0..<20 { group.addTask { try await gate.capture(id).status } }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        try await gate.chargeOthers()
        #expect(try await broken == Array(repeating: 500, count: 20))
        try await gate.execute(
          "UPDATE tollgate_data.accounts SET reserved = 85 WHERE external_id = 'broken'")
        #expect(try await gate.capture(id).status == 200)
        #expect(try await gate.violations() == [])
      }
    }
  }
}

extension TestGate {
  fileprivate func charge(_ account: String, key: String? = nil) async throws -> TestReply {
    try await post(
      "actions/charge",
      """
      {"account_id": "\(account)", "operation": "personas.generate", "quantities": {"count": 1}}
      """, key: key)
  }

  /// Eight accounts are charged ten times each, all at once, and every charge succeeds.
  fileprivate func chargeOthers() async throws {
    let answers = try await withThrowingTaskGroup(of: [Int].self) { group in
      for client in 0..<8 {
        group.addTask {
          var answers: [Int] = []
          for _ in 0..<10 { answers.append(try await charge("other-\(client)").status) }
          return answers
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(answers == Array(repeating: 200, count: 80))
  }

  /// How often a whole batch had to be repeated.
  fileprivate func laneRetries() async throws -> Double? {
    try Exposition(try await metrics().text).values["tollgate_lane_retries_total"]
  }
}
