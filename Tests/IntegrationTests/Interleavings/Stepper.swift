import Foundation
import Postgres
import ReferenceLedger
import Synchronization
import TestSupport
import Testing
import TollgateStore

/// Two sessions whose calls are led through one another step by step. What a session waits for is
/// read from the server's locks, so that nothing here depends on how fast anything is.
struct Stepper: Sendable {
  typealias Command = ReferenceLedger.Command
  typealias Outcome = ReferenceLedger.Outcome

  /// How the calls A and B meet.
  enum Order: CaseIterable {
    /// A is committed before B is called.
    case serial
    /// B is called while A has done its work and is not committed; then A commits.
    case overlapping
    /// Likewise, but A rolls back.
    case rolledBack
    /// A and then B are called while the account is locked by somebody else, who then lets go.
    case racing
  }

  /// A session, by its server process.
  private struct Side {
    let connection: Connection
    let process: Int32
  }

  private let ledger: TestLedger
  private let a: Side
  private let b: Side
  private let bystander: Side
  /// Holds the gate's lock, and looks at the locks of the others.
  private let keeper: Side
  private let gate: Int

  /// Steppers of one database need a number of their own each.
  init(_ ledger: TestLedger, gate: Int) async throws {
    self.ledger = ledger.another()
    self.gate = gate
    a = try await Self.side(ModelSession.connection(to: ledger, name: "a"))
    b = try await Self.side(ModelSession.connection(to: ledger, name: "b"))
    bystander = try await Self.side(Self.superuser(of: ledger, name: "bystander"))
    keeper = try await Self.side(Self.superuser(of: ledger, name: "keeper"))
    try await bystander.connection.execute(
      script: "SET test.gate = '\(gate)'", until: ModelSession.deadline)
  }

  /// Puts gates behind the functions of a database.
  static func prepare(_ ledger: TestLedger) async throws {
    let file = try #require(
      Bundle.module.url(forResource: "gate", withExtension: "sql", subdirectory: "Fixtures"))
    try await ledger.execute(String(contentsOf: file, encoding: .utf8))
  }

  /// For the names of the accounts of a prefix.
  func session(prefix: String) -> ModelSession {
    ModelSession(connection: b.connection, prefix: prefix)
  }

  func disconnect() async {
    for side in [a, b, bystander, keeper] { await side.connection.disconnect() }
    await ledger.disconnect()
  }

  private static func superuser(of ledger: TestLedger, name: String) -> Connection {
    var configuration = ConnectionConfiguration(url: ledger.databaseURL)
    configuration.lockTimeout = .seconds(20)
    configuration.statementTimeout = .seconds(20)
    return Connection(configuration, name: name, logger: TestServer.logger)
  }

  private static func side(_ connection: Connection) async throws -> Side {
    let process = try await connection.execute(
      Statement(name: "", sql: "SELECT pg_backend_pid()"), [], until: ModelSession.deadline
    ) { (row) throws(PostgresError) in try row.next(Int32.self) }
    return Side(connection: connection, process: try #require(process.first))
  }
}

extension Stepper {
  /// What came of two calls: A has no outcome when it was rolled back.
  struct Result: Hashable {
    let a: [Outcome]?
    let b: [Outcome]
    let books: Set<String>
  }

  /// Does `before` on fresh accounts with this prefix, then both calls in this order.
  func run(
    _ first: Command, _ second: Command, _ order: Order, after before: Setting, prefix: String
  ) async throws -> Result {
    let (a, b) = (
      ModelSession(connection: a.connection, prefix: prefix),
      ModelSession(connection: b.connection, prefix: prefix)
    )
    try await prepare(before, b)
    try await a.setClock(before.now)
    try await gateA(order)
    let account = b.account(before.account)
    let (outcomeA, outcomeB) = try await call((a, first), (b, second), order, account)
    return Result(
      a: outcomeA, b: outcomeB, books: try await ModelBooks.lines(in: ledger, of: [account]))
  }

  private func prepare(_ setting: Setting, _ session: ModelSession) async throws {
    try await session.setClock(Scenario.start)
    for command in setting.commands { _ = try await session.apply([command]) }
    try await session.setClock(setting.now)
  }

  private func gateA(_ order: Order) async throws {
    let isGated = order == .overlapping || order == .rolledBack
    try await a.connection.execute(
      script: """
        SET test.gate = '\(isGated ? "\(gate)" : "")';
        SET test.rollback = '\(order == .rolledBack ? "on" : "off")'
        """, until: ModelSession.deadline)
  }

  private func call(
    _ first: (session: ModelSession, command: Command),
    _ second: (session: ModelSession, command: Command), _ order: Order, _ account: AccountReference
  ) async throws -> ([Outcome]?, [Outcome]) {
    try await keeper.connection.execute(
      script: "SELECT pg_advisory_lock(\(gate))", until: ModelSession.deadline)
    let holder = order == .racing ? try await hold(account) : nil
    let a = Call { try await first.session.apply([first.command]) }
    try await settle(a, self.a)
    let b = Call { try await second.session.apply([second.command]) }
    try await settle(b, self.b)
    try await keeper.connection.execute(
      script: "SELECT pg_advisory_unlock(\(gate))", until: ModelSession.deadline)
    try await holder?.task.value
    let outcomeB = try await b.task.value
    guard order == .rolledBack else { return (try await a.task.value, outcomeB) }
    await #expect(throws: PostgresError.self) { try await a.task.value }
    return (nil, outcomeB)
  }

  /// Has the bystander lock the account until the gate opens.
  private func hold(_ account: AccountReference) async throws -> Call<Void> {
    let statement = Statement(name: "hold", sql: "SELECT test.hold_account($1)")
    let call = Call {
      _ = try await bystander.connection.execute(
        statement, [.value(account.id)], until: ModelSession.deadline
      ) { (_) throws(PostgresError) in }
    }
    try await settle(call, bystander)
    return call
  }

  /// Waits until the call has ended or waits for a lock that one of us holds. Others, which work
  /// on the same tables, may be in its way for a moment.
  private func settle<T>(_ call: Call<T>, _ side: Side) async throws {
    let us = [a, b, bystander, keeper].map(\.process)
    while !call.isDone {
      let isWaiting = try await keeper.connection.execute(
        Statement(name: "waiting", sql: "SELECT pg_blocking_pids($1) && $2"),
        [.value(side.process), .array(us)], until: ModelSession.deadline
      ) { (row) throws(PostgresError) in try row.next(Bool.self) }
      if isWaiting == [true] { return }
    }
  }
}

extension Stepper {
  /// Calls while the account is locked by somebody else, who lets go so many seconds later. Only
  /// for a database in which nothing else happens: all its clocks go on.
  func run(
    _ command: Command, waiting seconds: Int64, after before: Setting, prefix: String
  ) async throws -> Result {
    let session = session(prefix: prefix)
    let account = session.account(before.account)
    try await setDelay(0)
    try await prepare(before, session)
    try await keeper.connection.execute(
      script: "SELECT pg_advisory_lock(\(gate))", until: ModelSession.deadline)
    let holder = try await hold(account)
    let call = Call { try await session.apply([command]) }
    try await settle(call, b)
    #expect(!call.isDone)
    try await setDelay(seconds)
    try await keeper.connection.execute(
      script: "SELECT pg_advisory_unlock(\(gate))", until: ModelSession.deadline)
    try await holder.task.value
    return Result(
      a: nil, b: try await call.task.value,
      books: try await ModelBooks.lines(in: ledger, of: [account]))
  }

  private func setDelay(_ seconds: Int64) async throws {
    try await keeper.connection.execute(
      script: "SELECT setval('test.delay', \(seconds))", until: ModelSession.deadline)
  }
}

/// A call under way.
private struct Call<T: Sendable> {
  private final class Flag: Sendable { let isSet = Atomic<Bool>(false) }

  let task: Task<T, any Error>
  private let done = Flag()

  var isDone: Bool { done.isSet.load(ordering: .acquiring) }

  init(_ body: @escaping @Sendable () async throws -> T) {
    task = Task { [done] in
      defer { done.isSet.store(true, ordering: .releasing) }
      return try await body()
    }
  }
}
