import TestSupport
import Testing
import TollgateStore

extension Integration {
  /// The wire to PostgreSQL breaks at any message of an action: it happens once all the same.
  @Suite struct WireCutTests {
    static let endings: [WireFault.Damage] = [.drop, .reset, .halfClose]

    /// From the statement's last message to the end of its answer: when the commit happens.
    static let aroundTheCommit: [WireFault.Message] = [
      .execute, .sync, .bindComplete, .commandComplete, .readyForQuery,
    ]

    @Test(arguments: WireAction.allCases, WirePlace.tried)
    func whereverItIsCutItHappensOnce(action: WireAction, place: WirePlace) async throws {
      try await withProxiedGate(place) { gate, proxy in
        let cuts = Self.cuts(of: action)
        for (index, cut) in cuts.enumerated() {
          let (first, last) = try await gate.run(action, "a\(index)", through: cut, of: proxy)
          #expect(first.isUnknown || first.text == last.text, "\(cut): \(first.text)")
        }
        // At each of 13 messages, and so more than 200 for all actions.
        #expect(proxy.fired == cuts.count && cuts.count == 83)
        try await gate.expectEach(of: cuts.count, action)
        try Self.report(cuts, action, place)
      }
    }

    @Test(arguments: WireAction.allCases, WirePlace.tried)
    func whatComesLaterThanTheRepeatHappensOnce(
      action: WireAction, place: WirePlace
    ) async throws {
      let deadlines = Deadlines(.seconds(1))
      try await withProxiedGate(place, deadlines: deadlines) { gate, proxy in
        let cuts = Self.aroundTheCommit.map {
          WireFault(action.statement, $0, .before, .delay(.milliseconds(1_500)))
        }
        for (index, cut) in cuts.enumerated() {
          let (first, _) = try await gate.run(action, "a\(index)", through: cut, of: proxy)
          #expect(first.isUnknown, "\(cut): \(first.text)")
        }
        #expect(proxy.fired == cuts.count)
        try await proxy.settle()
        try await gate.expectEach(of: cuts.count, action)
        try Self.report(cuts, action, place)
      }
    }

    static func cuts(of action: WireAction) -> [WireFault] {
      let endings = WireFault.Message.allCases.flatMap { message in
        WireFault.Moment.allCases.flatMap { moment in
          Self.endings.map { WireFault(action.statement, message, moment, $0) }
        }
      }
      let delays = aroundTheCommit.map {
        WireFault(action.statement, $0, .before, .delay(.milliseconds(300)))
      }
      return endings + delays
    }

    private static func report(
      _ cuts: [WireFault], _ action: WireAction, _ place: WirePlace
    ) throws {
      var report = TortureReport(part: "wire")
      report.operations = cuts.count
      report.faults = Dictionary(grouping: cuts) { "\($0.damage.kind) \(place)" }
        .mapValues(\.count)
      report.successes = [action.rawValue: cuts.count]
      try report.write()
    }
  }
}

/// What moves credits.
enum WireAction: String, CaseIterable, Sendable {
  case reserve, charge, capture, partialCapture, release, extend, grant

  var statement: String { self == .partialCapture ? "capture" : rawValue }

  /// Whether it is about a reservation that there must be before.
  var needsHold: Bool { ![.reserve, .charge, .grant].contains(self) }

  /// Its request but for the reservation or account.
  var fields: String {
    switch self {
    case .reserve, .charge: #""operation": "personas.generate", "quantities": {"count": 1}"#
    case .capture: #""final": true"#
    case .partialCapture: #""credits": {"personas": 40}, "final": false"#
    case .release: ""
    case .extend: #""credits": {"personas": 90}, "ttl_seconds": 3600"#
    case .grant: #""credits": 7, "reason": "test""#
    }
  }

  /// The account afterwards: its balance, what is reserved, and how many reservations, entries,
  /// grants and keys of actions there are.
  var books: String {
    switch self {
    case .reserve: "1000 85 1 1 1 0"
    case .charge: "915 0 1 2 1 0"
    case .capture: "915 0 1 2 1 1"
    case .partialCapture: "960 45 1 2 1 1"
    case .release: "1000 0 1 1 1 1"
    case .extend: "1000 90 1 1 1 1"
    case .grant: "7 0 0 1 1 0"
    }
  }
}

extension TestReply {
  /// Whether it says that the action may have happened or not.
  fileprivate var isUnknown: Bool { status == 503 && code == "OUTCOME_UNKNOWN" }
}

extension TestGate {
  /// Runs the action once more than it takes to get a definite answer; returns the first and the
  /// last of the answers.
  fileprivate func run(
    _ action: WireAction, _ account: String, through fault: WireFault, of proxy: WireProxy
  ) async throws -> (first: TestReply, last: TestReply) {
    let subject = try await subject(of: action, account)
    await proxy.arm(fault)
    let first = try await send(action, subject)
    var definite = first
    for _ in 1...100 where definite.isUnknown { definite = try await send(action, subject) }
    #expect(definite.status == 200, "\(fault): \(definite.text)")
    let last = try await send(action, subject)
    #expect(definite.text == last.text, "\(fault)")
    return (first, last)
  }

  /// The field that says what the action is about.
  private func subject(of action: WireAction, _ account: String) async throws -> String {
    guard action.needsHold else { return #""account_id": "\#(account)""# }
    return #""reservation_id": "\#(try await hold(account, key: account))""#
  }

  private func send(_ action: WireAction, _ subject: String) async throws -> TestReply {
    let fields = [subject, action.fields].filter { !$0.isEmpty }.joined(separator: ", ")
    return try await post(
      "actions/\(action.statement)", "{\(fields)}", as: action == .grant ? .admin : .service,
      key: "k")
  }

  /// Checks that the action happened once to each of the accounts, and to no others.
  fileprivate func expectEach(of count: Int, _ action: WireAction) async throws {
    try await waitUntilIdle()
    let books = try await query(
      """
      SELECT concat_ws(' ', balance, reserved,
               (SELECT count(*) FROM tollgate_data.reservation_lines l
                 WHERE l.account_id = a.account_id),
               (SELECT count(*) FROM tollgate_data.entries e WHERE e.account_id = a.account_id),
               (SELECT count(*) FROM tollgate_data.grants g WHERE g.account_id = a.account_id),
               (SELECT count(*) FROM tollgate_data.action_keys k
                 WHERE k.account_id = a.account_id))
        FROM tollgate_data.accounts a
      """)
    #expect(books == Array(repeating: action.books, count: count))
    #expect(try await violations() == [])
  }

  /// Waits until no statement runs that nobody waits for any more.
  private func waitUntilIdle() async throws {
    for _ in 0..<500 {
      let running = try await query(
        """
        SELECT pid FROM pg_stat_activity
         WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()
        """)
      if running.isEmpty { return }
      try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("a statement still runs")
  }
}
