extension ReferenceLedger {
  /// The answer, and whether the hold is new.
  mutating func hold(_ command: Reserve, body: String) -> (outcome: Outcome, isNew: Bool) {
    if let known = holds[command.hold] {
      return (known.body == body ? known.answer : .mismatch, false)
    }
    let available = spendable(command.hold.account)
    let price = command.prices.reduce(0) { $0 + $1.credits }
    guard price <= available else { return (.insufficient(available: available), false) }
    grantAllowance(to: command.hold.account)
    accounts[command.hold.account, default: Account()].reserved += price
    let expiresAt = now + Int64(command.ttlSeconds)
    let answer = Outcome.held(
      prices: command.prices, available: available - price, expiresAt: expiresAt)
    let lines = command.prices.map {
      HeldLine(component: $0.component, captured: 0, held: $0.credits)
    }
    holds[command.hold] = Hold(lines: lines, expiresAt: expiresAt, body: body, answer: answer)
    return (answer, true)
  }

  mutating func charge(_ command: Reserve, body: String) -> Outcome {
    let (outcome, isNew) = hold(command, body: body)
    if isNew { _ = capture(Close(command.hold), body: body) }
    return outcome
  }

  mutating func extend(_ command: Extend, body: String) -> Outcome {
    remembering(.extend, command.key, of: command.hold, body: body) { ledger, hold in
      ledger.extend(command, hold)
    }
  }

  private mutating func extend(_ command: Extend, _ hold: Hold) -> Decision {
    switch hold.state {
    case .reserved: break
    case .expired: return .kept(.expired)
    case .captured, .released: return .kept(.alreadyClosed(hold.state))
    }
    let credits = command.credits ?? [:]
    guard hold.names(credits) else { return .kept(.unknownComponent) }
    let extended = hold.holding(credits)
    guard extended.lines.allSatisfy({ $0.rest >= 0 }) else { return .kept(.belowCaptured) }
    let more = extended.held - hold.held
    let available = accounts[command.hold.account]?.available ?? 0
    guard more <= available else {
      return .kept(.insufficientForMore(more: more, available: available))
    }
    accounts[command.hold.account]?.reserved += more
    holds[command.hold] = extended
    let expiresAt = command.ttlSeconds.map { now + Int64($0) } ?? hold.expiresAt
    holds[command.hold]?.expiresAt = expiresAt
    return .done(
      .extended(lines: extended.lines, available: available - more, expiresAt: expiresAt))
  }

  /// What is available once the initial allowance, which comes with the first hold, is there.
  private func spendable(_ id: AccountID) -> Int64 {
    let account = accounts[id] ?? Account()
    return account.available + (account.hasAllowance ? 0 : tenant(of: id).allowance)
  }

  private mutating func grantAllowance(to id: AccountID) {
    let allowance = tenant(of: id).allowance
    if accounts[id]?.hasAllowance != true, allowance > 0 {
      post(allowance, to: id, source: nil)
    }
    accounts[id, default: Account()].hasAllowance = true
  }
}

extension ReferenceLedger.Hold {
  /// Whether it has all these components.
  func names(_ credits: [String: Int64]) -> Bool {
    credits.keys.allSatisfy { component in lines.contains { $0.component == component } }
  }

  fileprivate var held: Int64 { lines.reduce(0) { $0 + $1.held } }

  fileprivate func holding(_ credits: [String: Int64]) -> Self {
    var hold = self
    for index in lines.indices {
      hold.lines[index].held = credits[lines[index].component] ?? lines[index].held
    }
    return hold
  }
}
