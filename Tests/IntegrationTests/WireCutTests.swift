import Foundation
import Synchronization
import TestSupport
import Testing
import TollgateStore

extension Integration {
  /// The wire to PostgreSQL breaks at any message of an action, as one week ends and another
  /// begins: it happens once all the same.
  @Suite struct WireCutTests {
    static let endings: [WireFault.Damage] = [.drop, .reset, .halfClose]

    /// From the statement's last message to the end of its answer: when the commit happens.
    static let aroundTheCommit: [WireFault.Message] = [
      .execute, .sync, .bindComplete, .commandComplete, .readyForQuery,
    ]

    @Test(arguments: WireRequest.tried, WirePlace.tried)
    func whereverItIsCutItHappensOnce(request: WireRequest, place: WirePlace) async throws {
      let clock = TurningWeek()
      let now = { @Sendable in clock.now }
      try await withProxiedGate(place, now: now) { gate, proxy in
        let cuts = Self.cuts(of: request)
        for (index, cut) in cuts.enumerated() {
          let (first, last) = try await gate.run(request, "\(index)", through: cut, of: proxy)
          #expect(first.isUnknown || first.text == last.text, "\(cut): \(first.text)")
        }
        // At each of 13 messages.
        #expect(proxy.fired == cuts.count && cuts.count == 26 * Self.endings(of: request).count + 5)
        try await gate.expectEach(of: cuts.count, request)
        try Self.report(cuts, request, place)
      }
    }

    @Test(arguments: WireRequest.tried.filter(Self.isTriedLate), WirePlace.tried)
    func whatComesLaterThanTheRepeatHappensOnce(
      request: WireRequest, place: WirePlace
    ) async throws {
      let deadlines = Deadlines(.seconds(1))
      let clock = TurningWeek()
      let now = { @Sendable in clock.now }
      try await withProxiedGate(place, deadlines: deadlines, now: now) { gate, proxy in
        let cuts = Self.lateMessages.map {
          WireFault(request.action.statement, $0, .before, .delay(.milliseconds(1_500)))
        }
        for (index, cut) in cuts.enumerated() {
          let (first, _) = try await gate.run(request, "\(index)", through: cut, of: proxy)
          #expect(first.isUnknown, "\(cut): \(first.text)")
        }
        #expect(proxy.fired == cuts.count)
        try await proxy.settle()
        // What comes so late that its statement has taken too long does not happen at all; who has
        // a key finds out by asking again.
        try await gate.expectEach(of: cuts.count, request, orNone: !request.isKeyed)
        try Self.report(cuts, request, place)
      }
    }

    /// A batch is one statement like any other, and so is what has no key, so in short runs not
    /// every way is tried on them.
    private static func endings(of request: WireRequest) -> [WireFault.Damage] {
      isShort && (request.isBatch || !request.isKeyed) ? [.drop] : endings
    }

    private static var lateMessages: [WireFault.Message] {
      isShort ? [.execute, .commandComplete, .readyForQuery] : aroundTheCommit
    }

    private static func isTriedLate(_ request: WireRequest) -> Bool {
      !(isShort && request.isBatch)
    }

    private static var isShort: Bool { WirePlace.tried.count == 1 }

    static func cuts(of request: WireRequest) -> [WireFault] {
      let action = request.action
      let endings = WireFault.Message.allCases.flatMap { message in
        WireFault.Moment.allCases.flatMap { moment in
          Self.endings(of: request).map { WireFault(action.statement, message, moment, $0) }
        }
      }
      let delays = aroundTheCommit.map {
        WireFault(action.statement, $0, .before, .delay(.milliseconds(300)))
      }
      return endings + delays
    }

    private static func report(
      _ cuts: [WireFault], _ request: WireRequest, _ place: WirePlace
    ) throws {
      var report = TortureReport(part: "wire")
      report.operations = cuts.count
      report.faults = Dictionary(grouping: cuts) { "\($0.damage.kind) \(place)" }
        .mapValues(\.count)
      report.successes = [request.action.rawValue: cuts.count]
      try report.write()
    }
  }
}

/// Every other look at it shows the next week, so that whoever makes a key anew makes another one.
private final class TurningWeek: Sendable {
  private let looks = Atomic(0)

  var now: Date {
    let look = looks.add(1, ordering: .relaxed).newValue
    return .now + (look.isMultiple(of: 2) ? 604_800 : 0)
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

  /// The books of an account with nothing but the hold that an action is about.
  static let untouched = "\(reserve.books) 0"

  func body(_ subject: String) -> String {
    "{\([subject, fields].filter { !$0.isEmpty }.joined(separator: ", "))}"
  }

  /// The account afterwards: its balance, what is reserved, and how many reservations, entries and
  /// grants there are.
  var books: String {
    switch self {
    case .reserve: "1000 85 1 1 1"
    case .charge: "915 0 1 2 1"
    case .capture: "915 0 1 2 1"
    case .partialCapture: "960 45 1 2 1"
    case .release: "1000 0 1 1 1"
    case .extend: "1000 90 1 1 1"
    case .grant: "7 0 0 1 1"
    }
  }
}

/// An action, and how it is asked for.
struct WireRequest: Sendable, CustomTestStringConvertible {
  let action: WireAction
  /// With an idempotency key of its own.
  var isKeyed = true
  /// In a batch of two, on an account each.
  var isBatch = false

  static let tried = WireAction.allCases.flatMap { action in
    [true, false].flatMap { isKeyed in
      [false, true].map { WireRequest(action: action, isKeyed: isKeyed, isBatch: $0) }
    }
  }

  var testDescription: String {
    "\(action), \(isKeyed ? "with" : "without") key, \(isBatch ? "in a batch" : "alone")"
  }

  /// What is kept under the keys of actions on a reservation: all that are keyed, and those that
  /// nothing else would tell from another one of the same body.
  private var actionKeys: Int {
    action.needsHold && (isKeyed || [.partialCapture, .extend].contains(action)) ? 1 : 0
  }

  var books: String { "\(action.books) \(actionKeys)" }

  func accounts(_ name: String) -> [String] { (isBatch ? ["a", "b"] : ["a"]).map { $0 + name } }
}

extension TestReply {
  /// Whether it says that the action may have happened or not, of a batch that none of it did
  /// surely.
  fileprivate var isUnknown: Bool { text.contains(#""code":"OUTCOME_UNKNOWN""#) }

  /// Whether it says of anything that it was not done, for want of time, of a connection or of the
  /// account's lock, which a late sending may have.
  fileprivate var isRefusedForNow: Bool {
    ["OVERLOADED", "UPSTREAM_ERROR", "ACCOUNT_LOCKED"].contains {
      text.contains(#""code":"\#($0)""#)
    }
  }

  /// Whether it says so of all that was asked for.
  fileprivate var isWhollyRefusedForNow: Bool {
    isRefusedForNow && !isUnknown && !text.contains(#""status":200"#)
  }

  /// Whether it says that all that was asked for is done.
  fileprivate var isDone: Bool { status == 200 && !text.contains(#""error""#) }
}

extension TestGate {
  /// Runs the action until there is a definite answer and, if it has a key, once more; returns the
  /// first and the last of the answers. One without a key is not sent again.
  fileprivate func run(
    _ request: WireRequest, _ name: String, through fault: WireFault, of proxy: WireProxy
  ) async throws -> (first: TestReply, last: TestReply) {
    var subjects: [String] = []
    for account in request.accounts(name) {
      subjects.append(try await subject(of: request.action, account))
    }
    await proxy.arm(fault)
    var first = try await send(request, subjects)
    // Which promises that nothing happened.
    for _ in 1...100 where first.isWhollyRefusedForNow { first = try await send(request, subjects) }
    guard request.isKeyed else { return (first, first) }
    var definite = first
    for _ in 1...100 where definite.isUnknown || definite.isRefusedForNow {
      definite = try await send(request, subjects)
    }
    #expect(definite.isDone, "\(fault): \(definite.text)")
    let last = try await send(request, subjects)
    #expect(definite.text == last.text, "\(fault)")
    return (first, last)
  }

  /// The field that says what the action is about.
  func subject(of action: WireAction, _ account: String) async throws -> String {
    guard action.needsHold else { return #""account_id": "\#(account)""# }
    return #""reservation_id": "\#(try await hold(account, key: account))""#
  }

  func send(
    _ action: WireAction, _ subject: String, isKeyed: Bool = true
  ) async throws -> TestReply {
    try await post(
      "actions/\(action.statement)", action.body(subject),
      as: action == .grant ? .admin : .service, key: isKeyed ? "k" : nil)
  }

  private func send(_ request: WireRequest, _ subjects: [String]) async throws -> TestReply {
    let action = request.action
    guard request.isBatch else {
      return try await send(action, subjects[0], isKeyed: request.isKeyed)
    }
    let key = request.isKeyed ? #""idempotency_key": "k", "# : ""
    let elements = subjects.map {
      #"{"action": "\#(action.statement)", \#(key)"body": \#(action.body($0))}"#
    }
    return try await post(
      "actions/batch", #"{"actions": [\#(elements.joined(separator: ", "))]}"#,
      as: action == .grant ? .admin : .service)
  }

  /// Checks that the action happened once to each of the accounts, and to no others.
  ///
  /// - Parameter orNone: or not at all, to some of them.
  fileprivate func expectEach(
    of count: Int, _ request: WireRequest, orNone: Bool = false
  ) async throws {
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
    let accounts = count * request.accounts("").count
    let done = books.filter { !orNone || $0 != WireAction.untouched }
    #expect(done == Array(repeating: request.books, count: orNone ? done.count : accounts))
    #expect(books.count <= accounts)
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
