extension ReferenceLedger {
  /// What an action on a hold came to: only what was done, now or by the same step before, is
  /// remembered under its key.
  enum Decision {
    case done(Outcome)
    case kept(Outcome)
  }

  /// One key, one effect, one answer.
  mutating func remembering(
    _ scope: ActionKey.Scope, _ key: String?, of id: HoldID, body: String,
    _ act: (inout Self, Hold) -> Decision
  ) -> Outcome {
    let key = key.map { ActionKey(scope: scope, key: $0) }
    if let key, let known = accounts[id.account]?.actions[key] {
      return known.body == body ? known.outcome : .mismatch
    }
    guard let hold = holds[id] else { return .notFound }
    switch act(&self, hold) {
    case .kept(let outcome):
      return outcome
    case .done(let outcome):
      if let key {
        accounts[id.account]?.actions[key] = Answer(body: body, outcome: outcome)
      }
      return outcome
    }
  }

  mutating func grant(_ command: Grant, body: String) -> Outcome {
    let account = accounts[command.account] ?? Account()
    if let known = account.grants[command.key] {
      return known.body == body ? known.outcome : .mismatch
    }
    guard account.available + command.amount >= 0 else {
      return .insufficient(available: account.available)
    }
    post(command.amount, to: command.account, source: command.key)
    let after = accounts[command.account] ?? Account()
    let outcome = Outcome.granted(
      amount: command.amount, balance: after.balance, available: after.available,
      entry: Int64(after.entries.count))
    accounts[command.account]?.grants[command.key] = Answer(body: body, outcome: outcome)
    return outcome
  }
}
