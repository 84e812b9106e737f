extension ReferenceLedger {
  mutating func capture(_ command: Close, body: String) -> Outcome {
    remembering(.capture, command.key, of: command.hold, body: body) { ledger, hold in
      ledger.capture(command, of: hold, body: body)
    }
  }

  private mutating func capture(_ command: Close, of hold: Hold, body: String) -> Decision {
    guard hold.names(command.credits ?? [:]) else { return .kept(.unknownComponent) }
    if hold.closingBody == body, let closing = hold.lastClosing { return .done(.closed(closing)) }
    let isTooLate = now > hold.expiresAt + tenant(of: command.hold.account).graceSeconds
    switch hold.state {
    case .captured, .released: return .kept(.alreadyClosed(hold.state))
    case _ where isTooLate: return .kept(.expired)
    case .expired where !isCovered(command, hold): return .kept(.expired)
    case .expired, .reserved: return .done(.closed(charge(command, hold, body: body)))
    }
  }

  /// The credits of an expired hold were given back, so they have to be there still.
  private func isCovered(_ command: Close, _ hold: Hold) -> Bool {
    let charge = hold.lines.reduce(0) { $0 + $1.charge(by: command) }
    return charge <= accounts[command.hold.account]?.available ?? 0
  }

  private mutating func charge(_ command: Close, _ hold: Hold, body: String) -> Closing {
    let charges = hold.lines.map { $0.charge(by: command) }
    if hold.state == .reserved {
      let freed = command.isFinal ? hold.rest : charges.reduce(0, +)
      accounts[command.hold.account]?.reserved -= freed
    }
    var charged = hold
    for (index, charge) in charges.enumerated() where charge > 0 {
      charged.lines[index].captured += charge
      post(
        -charge, to: command.hold.account, source: command.hold.key,
        component: hold.lines[index].component, isCall: hold.lines[index].captured == 0)
    }
    if command.isFinal { charged.state = .captured }
    let closing = Closing(
      state: charged.state, available: accounts[command.hold.account]?.available ?? 0,
      isCapped: hold.lines.contains { $0.asked(by: command) > $0.rest },
      lines: charged.closingLines(charges))
    if command.isFinal { charged.end(with: closing, body: body) }
    holds[command.hold] = charged
    return closing
  }
}

extension ReferenceLedger {
  mutating func release(_ command: Close, body: String) -> Outcome {
    remembering(.release, command.key, of: command.hold, body: body) { ledger, hold in
      if hold.state == .reserved {
        return .done(.closed(ledger.free(command.hold, hold, as: .released, body: body)))
      }
      guard hold.state != .captured, let closing = hold.lastClosing else {
        return .kept(.alreadyClosed(hold.state))
      }
      return .done(.closed(closing))
    }
  }

  /// Whether its deadline ended it.
  mutating func expire(_ id: HoldID) -> Bool {
    guard let hold = holds[id], hold.state == .reserved, hold.expiresAt <= now else {
      return false
    }
    _ = free(id, hold, as: .expired, body: nil)
    return true
  }

  private mutating func free(
    _ id: HoldID, _ hold: Hold, as state: State, body: String?
  ) -> Closing {
    accounts[id.account]?.reserved -= hold.rest
    var freed = hold
    freed.state = state
    let closing = Closing(
      state: state, available: accounts[id.account]?.available ?? 0, isCapped: false,
      lines: hold.closingLines(hold.lines.map { _ in 0 }))
    freed.end(with: closing, body: body)
    holds[id] = freed
    return closing
  }
}

extension ReferenceLedger.Hold {
  fileprivate var rest: Int64 { lines.reduce(0) { $0 + $1.rest } }

  fileprivate func closingLines(_ charges: [Int64]) -> [ReferenceLedger.Closing.Line] {
    zip(lines, charges).map { line, charge in
      .init(component: line.component, charged: charge, captured: line.captured, held: line.held)
    }
  }

  fileprivate mutating func end(with closing: ReferenceLedger.Closing, body: String?) {
    self.closing = closing
    closingBody = body
  }

  /// The answer of the step that ended it. What was captured late counts as captured.
  fileprivate var lastClosing: ReferenceLedger.Closing? {
    closing.map {
      .init(
        state: $0.state, available: $0.available, isCapped: $0.isCapped,
        lines: closingLines($0.lines.map(\.charged)))
    }
  }
}

extension ReferenceLedger.HeldLine {
  fileprivate func asked(by command: ReferenceLedger.Close) -> Int64 {
    command.credits.map { $0[component] ?? 0 } ?? rest
  }

  fileprivate func charge(by command: ReferenceLedger.Close) -> Int64 {
    min(asked(by: command), rest)
  }
}
