import Foundation
import Postgres
import ReferenceLedger
import Synchronization
import TestSupport
import TollgateStore

/// Runs scenarios on one connection, each on accounts of its own, beside the reference ledger.
struct ModelRun: Sendable {
  /// Numbers the scenarios of the process, for the names of their accounts.
  private static let count = Atomic<Int>(0)

  let ledger: TestLedger
  let connection: Connection

  init(_ ledger: TestLedger) {
    self.ledger = ledger.another()
    connection = ModelSession.connection(to: ledger, name: "model")
  }

  func disconnect() async {
    await ledger.disconnect()
    await connection.disconnect()
  }

  /// Where the database first differs from the reference ledger.
  func difference(_ scenario: Scenario) async throws -> String? {
    let session = try await session()
    var model = Scenario.beginning
    try await session.setClock(model.now)
    for (index, step) in scenario.steps.enumerated() {
      let expected = model.apply(step)
      guard case .batch(let commands) = step else {
        try await session.setClock(model.now)
        continue
      }
      if let difference = await difference(commands, expected, session) {
        return "step \(index): \(difference)"
      }
    }
    return try await difference(of: model, session)
  }

  private func session() async throws -> ModelSession {
    let number = Self.count.add(1, ordering: .relaxed).newValue
    let session = ModelSession(connection: connection, prefix: "s\(number)")
    for (id, limit) in Scenario.creditLimits {
      let account = session.account(id)
      try await ledger.execute(
        "SELECT tollgate.set_credit_limit(\(account.tenant), '\(account.name)', \(limit))")
    }
    return session
  }

  private func difference(
    _ commands: [ReferenceLedger.Command], _ expected: [ReferenceLedger.Outcome],
    _ session: ModelSession
  ) async -> String? {
    do {
      let outcomes = try await session.apply(commands)
      guard outcomes != expected else { return nil }
      guard let index = zip(outcomes, expected).enumerated().first(where: { $1.0 != $1.1 })?.0
      else { return "\(outcomes.count) outcomes, not \(expected.count)" }
      return Scenario.text(
        "\(commands[index])\nexpected \(expected[index])\nbut was \(outcomes[index])")
    } catch {
      return "\(error)"
    }
  }

  private func difference(
    of model: ReferenceLedger, _ session: ModelSession
  ) async throws -> String? {
    let expected = ModelBooks.lines(of: model, session)
    let found = try await ModelBooks.lines(
      in: ledger, of: Scenario.accounts.map(session.account))
    guard expected != found else { return nil }
    return "books: expected \(expected.subtracting(found).sorted())\n"
      + "but were \(found.subtracting(expected).sorted())"
  }

  /// Ends what the scenarios left open: by the real clock it is long overdue.
  func expireAll() async throws { while try await ledger.expire() ?? 0 > 0 {} }
}
