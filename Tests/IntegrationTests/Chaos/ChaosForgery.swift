import ReferenceLedger
import TestSupport
import TollgateStore

/// What an audit must find: a true history of one account, changed in one place.
enum ChaosForgery: CaseIterable {
  case effectLost, answerChanged, refusalChanged, repeatDiffers, orderTurned, booksChanged

  /// Whether a history has what this changes.
  func suits(_ operations: [ChaosOperation]) -> Bool {
    operations.contains(where: changed)
  }

  /// - Parameter operations: of the account, a history that suits.
  func isFound(
    in operations: [ChaosOperation], _ facts: ChaosFacts, of account: AccountReference
  ) -> Bool {
    var operations = operations
    var facts = facts
    switch self {
    case .effectLost: facts.loseEffect(of: account.id, among: operations.filter(changed))
    case .booksChanged: facts.changeBooks(of: account.id)
    case .answerChanged, .refusalChanged: change(&operations) { $0.map(\.withAnotherAmount) }
    case .repeatDiffers:
      change(&operations) { $0 + $0.suffix(1).map(\.withAnotherAmount) }
    case .orderTurned: change(&operations) { $0.map(\.anHourLater) }
    }
    return !ChaosReplay(account, operations, facts).violations.isEmpty
  }

  /// Whether an operation is one whose answers this changes, or whose effect it takes away.
  private func changed(_ operation: ChaosOperation) -> Bool {
    self == .refusalChanged ? operation.isRefused402 : operation.isSoleGrant
  }

  /// Changes the attempts of one operation, in the middle of those that will do.
  private func change(
    _ operations: inout [ChaosOperation], _ forge: ([ChaosAttempt]) -> [ChaosAttempt]
  ) {
    let suitable = operations.indices.filter { changed(operations[$0]) }
    guard !suitable.isEmpty else { return }
    let index = suitable[suitable.count / 2]
    let forged = ChaosOperation(operations[index].command)
    for attempt in forge(operations[index].attempts) { forged.record(attempt) }
    operations[index] = forged
  }
}

extension ChaosOperation {
  fileprivate var isSoleGrant: Bool {
    guard case .grant = command else { return false }
    return !isImpostor && isDone
  }

  fileprivate var isRefused402: Bool {
    !isDone && attempts.contains { $0.answer?.status == 402 }
  }
}

extension ChaosAttempt {
  /// With an amount that no account of a run ever has.
  fileprivate var withAnotherAmount: ChaosAttempt {
    let forged = answer.map {
      HTTPConnection.Answer(
        status: $0.status,
        text: $0.text.replacing("\"available\":", with: "\"available\":7000000"))
    }
    return ChaosAttempt(sent: sent, answered: answered, answer: forged)
  }

  fileprivate var anHourLater: ChaosAttempt {
    ChaosAttempt(sent: sent + .seconds(3_600), answered: answered + .seconds(3_600), answer: answer)
  }
}

extension ChaosFacts {
  /// Loses one of what these operations did. An extend, say, may change nothing, and would not be
  /// missed.
  fileprivate mutating func loseEffect(of account: Int64, among operations: [ChaosOperation]) {
    let keys = Set(operations.map { ReservationKey.withoutWeek($0.command.derivedKey) })
    let theirs = effects[account]?.indices.filter { index in
      effects[account].map { keys.contains(ReservationKey.withoutWeek($0[index].key)) } ?? false
    }
    guard let theirs, !theirs.isEmpty else { return }
    effects[account]?.remove(at: theirs[theirs.count / 2])
  }

  fileprivate mutating func changeBooks(of account: Int64) {
    books[account] = books[account].map { "1\($0)" }
  }
}
