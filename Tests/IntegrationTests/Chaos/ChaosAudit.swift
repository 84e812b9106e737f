import ReferenceLedger
import TollgateStore

/// What came of comparing all answers with the tables and the reference ledger.
struct ChaosAudit: Sendable {
  private(set) var violations: [String]
  private(set) var accounts = 0
  /// Changes that were replayed.
  private(set) var effects = 0
  /// Answers without a change whose place among the changes was found.
  private(set) var observations = 0
  /// The forgeries that were not found, each in the history of the busiest account that has what
  /// it changes, or that no account's history suits.
  private(set) var blindSpots: [ChaosForgery] = []

  init(
    _ operations: [ChaosOperation], _ facts: ChaosFacts, tenant: TenantID, violations: [String]
  ) async {
    self.violations = violations
    let byAccount = Dictionary(grouping: operations) { $0.command.account?.name ?? "" }
    let strangers = Set(facts.books.keys).subtracting(
      byAccount.keys.map { AccountReference(tenant: tenant, name: $0).id })
    self.violations += strangers.map { "nobody asked for the account \($0)" }
    await withTaskGroup { group in
      for (name, operations) in byAccount {
        let account = AccountReference(tenant: tenant, name: name)
        group.addTask { ChaosReplay(account, operations, facts) }
      }
      for await replay in group { add(replay) }
    }
    blindSpots = ChaosForgery.allCases.filter { forgery in
      let suitable = byAccount.filter { forgery.suits($0.value) }
      guard let (name, busiest) = suitable.max(by: { $0.value.count < $1.value.count }) else {
        return true
      }
      return !forgery.isFound(in: busiest, facts, of: .init(tenant: tenant, name: name))
    }
  }

  private mutating func add(_ replay: ChaosReplay) {
    accounts += 1
    effects += replay.effects.count
    observations += replay.observations.count
    violations += replay.violations
  }
}
