import ReferenceLedger
import TestSupport
import TollgateStore

/// What an audit must find: a true history of one account, changed in one place.
enum ChaosForgery: CaseIterable {
  case effectLost, answerChanged, refusalChanged, repeatDiffers, orderTurned, booksChanged

  /// - Parameter operations: of the account, which must have answers of all sorts.
  func isFound(
    in operations: [ChaosOperation], _ facts: ChaosFacts, of account: AccountReference
  ) -> Bool {
    var operations = operations
    var facts = facts
    switch self {
    case .effectLost: facts.loseEffect(of: account.id)
    case .booksChanged: facts.changeBooks(of: account.id)
    case .answerChanged: change(&operations, where: \.isSoleGrant) { $0.map(\.withAnotherAmount) }
    case .refusalChanged: change(&operations, where: \.isRefused402) { $0.map(\.withAnotherAmount) }
    case .repeatDiffers:
      change(&operations, where: \.isSoleGrant) { $0 + $0.suffix(1).map(\.withAnotherAmount) }
    case .orderTurned: change(&operations, where: \.isSoleGrant) { $0.map(\.anHourLater) }
    }
    return !ChaosReplay(account, operations, facts).violations.isEmpty
  }

  /// Changes the attempts of one operation, in the middle of those that will do.
  private func change(
    _ operations: inout [ChaosOperation], where isSuitable: (ChaosOperation) -> Bool,
    _ forge: ([ChaosAttempt]) -> [ChaosAttempt]
  ) {
    let suitable = operations.indices.filter { isSuitable(operations[$0]) }
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
  fileprivate var withAnotherAmount: ChaosAttempt {
    let forged = answer.map {
      HTTPConnection.Answer(
        status: $0.status,
        text: $0.text.replacing("\"available\":", with: "\"available\":7"))
    }
    return ChaosAttempt(sent: sent, answered: answered, answer: forged)
  }

  fileprivate var anHourLater: ChaosAttempt {
    ChaosAttempt(sent: sent + .seconds(3_600), answered: answered + .seconds(3_600), answer: answer)
  }
}

extension ChaosFacts {
  fileprivate mutating func loseEffect(of account: Int64) {
    let asked = effects[account]?.indices.filter {
      effects[account]?[$0].availableAfterExpiry == nil
    }
    guard let asked, !asked.isEmpty else { return }
    effects[account]?.remove(at: asked[asked.count / 2])
  }

  fileprivate mutating func changeBooks(of account: Int64) {
    books[account] = books[account].map { "1\($0)" }
  }
}
