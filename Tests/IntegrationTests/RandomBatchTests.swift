import ReferenceLedger
import TestSupport
import Testing

extension Integration {
  /// Batches that nobody thought of, against the rules that hold for all.
  @Suite struct RandomBatchTests {
    typealias Hold = TestLedger.Hold
    typealias Step = TestLedger.Step
    typealias Grant = TestLedger.Grant

    /// Two equal tenants are asked for the same: one in batches, the other one by one.
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func aBatchIsAnsweredLikeItsItemsOneByOne(seed: UInt64) async throws {
      try await withLedger { ledger in
        var random = SeededRandom(seed: seed)
        for _ in 0..<25 {
          let holds = (0..<Int.random(in: 1...12, using: &random)).map { _ in
            Self.hold(keys: 60, using: &random)
          }
          let verb = Bool.random(using: &random) ? ledger.reserve : ledger.charge
          let alone = try await Self.oneByOne(holds) { try await verb([Self.moved($0)]) }
          #expect(try await verb(holds) == alone)
          let steps = holds.filter { _ in Bool.random(using: &random) }.map {
            Self.step(on: $0, using: &random)
          }
          let closed = try await Self.oneByOne(steps) { step in
            var step = step
            step.tenant = 2
            return try await ledger.capture([step])
          }
          if !steps.isEmpty { #expect(try await ledger.capture(steps) == closed) }
          if let hold = holds.randomElement(using: &random) {
            try await Self.topUp(hold.account, key: String(random.next()), on: ledger)
          }
        }
        let (one, two) = (
          try await Self.contents(of: 1, ledger), try await Self.contents(of: 2, ledger)
        )
        #expect(one == two)
        #expect(one.count > 50)
        #expect(try await ledger.violations() == [])
      }
    }

    /// The answers as a batch of all would number them.
    private static func oneByOne<Item>(
      _ items: [Item], _ ask: (Item) async throws -> [String]
    ) async throws -> [String] {
      var answers: [String] = []
      for (index, item) in items.enumerated() {
        answers += try await ask(item).map { "\(index + 1)" + $0.dropFirst() }
      }
      return answers
    }

    /// All of it or a part, in one step or two, sometimes of what is not there.
    private static func step(on hold: Hold, using random: inout SeededRandom) -> Step {
      let credits = [nil, nil, #"{"personas": 7}"#, #"{"personas": 200}"#, #"{"none": 1}"#]
      var step = Step(hold.account, hold.key, credits.randomElement(using: &random) ?? nil)
      step.isFinal = Int.random(in: 0..<3, using: &random) > 0
      return step
    }

    private static func topUp(
      _ account: String, key: String, on ledger: TestLedger
    ) async throws {
      for tenant in [1, 2] as [Int32] {
        var grant = Grant(account, key, 100)
        grant.tenant = tenant
        _ = try await ledger.grant([grant])
      }
    }

    private static func moved(_ hold: Hold) -> Hold {
      var hold = hold
      hold.tenant = 2
      return hold
    }

    private static func hold(keys: Int, using random: inout SeededRandom) -> Hold {
      let prices = (0..<Int.random(in: 1...2, using: &random)).map { _ in
        Int64.random(in: 0...90, using: &random)
      }
      let account = "a\(Int.random(in: 0..<4, using: &random))"
      return Hold(account, "k\(Int.random(in: 0..<keys, using: &random))", prices: prices)
    }

    /// All that a tenant's accounts and reservations are, but for the times.
    private static func contents(of tenant: Int, _ ledger: TestLedger) async throws -> [String?] {
      try await ledger.query(
        """
        SELECT concat_ws(' ', a.external_id, a.balance, a.reserved, a.last_seq, r.reservation_key,
                         r.line, r.state, r.price, r.captured, r.available, r.fingerprint)
          FROM tollgate_data.accounts a
          LEFT JOIN tollgate_data.reservation_lines r USING (account_id)
         WHERE a.tenant_id = \(tenant)
         ORDER BY 1
        """)
    }
  }
}

extension Integration.RandomBatchTests {
  /// The connections know nothing of each other and work on the same reservations.
  @Test func connectionsInEachOthersWayNeitherDeadlockNorOverspend() async throws {
    try await withLedger(allowance: 3_000) { ledger in
      let found = await withTaskGroup(of: [String: Int].self) { group in
        for seed in 1...8 as ClosedRange<UInt64> {
          group.addTask { await Self.hammer(ledger.another(), seed: seed, for: .seconds(3)) }
        }
        return await group.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
      }
      #expect(found.keys.filter { $0.hasPrefix("error") } == [], "\(found)")
      #expect(found["reserved", default: 0] > 50, "\(found)")
      #expect(found["insufficient", default: 0] > 0, "\(found)")
      #expect(found["done", default: 0] > 20, "\(found)")
      #expect(try await ledger.violations() == [])
      let negative = try await ledger.query(
        "SELECT account FROM tollgate.account_balances WHERE available < 0 OR balance < 0")
      #expect(negative == [])
    }
  }

  /// How often each outcome came, and each error, in some time, however slow the machine.
  private static func hammer(
    _ ledger: TestLedger, seed: UInt64, for time: Duration
  ) async -> [String: Int] {
    var random = SeededRandom(seed: seed)
    var counts: [String: Int] = [:]
    let end = ContinuousClock.now + time
    var calls = 0
    while .now < end || calls < 40 {
      calls += 1
      do {
        for row in try await randomCall(on: ledger, using: &random) {
          counts[String(row.split(separator: " ")[1]), default: 0] += 1
        }
      } catch {
        counts["error \(error)", default: 0] += 1
      }
    }
    return counts
  }

  private static func randomCall(
    on ledger: TestLedger, using random: inout SeededRandom
  ) async throws -> [String] {
    let count = Int.random(in: 1...8, using: &random)
    let holds = (0..<count).map { _ in
      var hold = hold(keys: 100, using: &random)
      hold.ttlSeconds = Int32.random(in: 0...20, using: &random)
      return hold
    }
    let steps = holds.map { Step($0.account, $0.key) }
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<5: return try await ledger.reserve(holds)
    case 5: return try await ledger.charge(holds)
    case 6: return try await ledger.release(steps)
    case 7: return try await ledger.extend(steps)
    case 8:
      _ = try await ledger.expire()
      return []
    default: return try await ledger.capture(steps)
    }
  }
}
