import ReferenceLedger
import TestSupport
import TollgateStore

/// Replays one account on the reference ledger in the order that the tables give, and compares
/// every answer that its clients got.
struct ChaosReplay {
  /// What changed the account.
  struct Effect {
    let at: Int64
    /// What happened in one transaction has one number.
    let transaction: Int64
    let command: ReferenceLedger.Command
    /// What was answered; `nil` for an expiry.
    let outcome: ReferenceLedger.Outcome?
    var availableAfterExpiry: Int64?
    /// Between these it happened, by what the clients saw.
    let sent: ContinuousClock.Instant?
    let answered: ContinuousClock.Instant?
  }

  /// An answer that left no trace: a refusal, or a closing that was done before.
  struct Observation {
    let command: ReferenceLedger.Command
    let attempt: ChaosAttempt
    let outcome: ReferenceLedger.Outcome
    /// How many effects there were before it, at least and at most.
    let positions: ClosedRange<Int>
  }

  let account: ReferenceLedger.AccountID
  private let end: Int64
  private let clock: ChaosClock
  private var model: ReferenceLedger
  var effects: [Effect] = []
  var observations: [Observation] = []
  private(set) var violations: [String] = []

  init(
    _ account: AccountReference, _ operations: [ChaosOperation], _ facts: ChaosFacts
  ) {
    self.account = .init(tenant: account.tenant, name: account.name)
    end = facts.now
    clock = facts.clock
    let effects = facts.effects[account.id] ?? []
    model = ReferenceLedger(
      tenants: [
        account.tenant: .init(
          allowance: ChaosSettings.allowance, graceSeconds: ChaosSettings.graceSeconds * 1_000_000)
      ], now: effects.first?.at ?? 0)
    read(effects, operations)
    replay()
    if violations.isEmpty { compareBooks(facts.books[account.id]) }
  }

  mutating func fail(_ text: String) {
    violations.append(Scenario.text("\(account.name): \(text)"))
  }

  private mutating func compareBooks(_ books: String?) {
    let expected = effects.isEmpty ? "" : ChaosBooks.text(of: account, in: model)
    guard expected != books ?? "" else { return }
    let parts = [books ?? "", expected].map { $0.split { " ,".contains($0) } }
    let place = zip(parts[0], parts[1]).enumerated().first { $1.0 != $1.1 }
    fail("the books are not as they should be; first \(place.map { "\($0)" } ?? "in length")")
  }
}

extension ChaosReplay {
  private mutating func replay() {
    var waiting = observations.indices.sorted {
      observations[$0].positions.lowerBound > observations[$1].positions.lowerBound
    }
    var open: [Int] = []
    var position = 0
    while true {
      while let next = waiting.last, observations[next].positions.lowerBound <= position {
        open.append(waiting.removeLast())
      }
      let next = position < effects.count ? effects[position].at : end
      open.removeAll { isExplained(observations[$0], until: next) }
      for index in open where observations[index].positions.upperBound <= position {
        fail(
          "\(observations[index].command) was answered \(observations[index].outcome), "
            + "which it was at no time from effect \(observations[index].positions)")
      }
      open.removeAll { observations[$0].positions.upperBound <= position }
      guard position < effects.count, advance(&position) else { return }
    }
  }

  private mutating func advance(_ position: inout Int) -> Bool {
    if position == 0 || effects[position].transaction != effects[position - 1].transaction {
      putInOrder(position)
    }
    let effect = effects[position]
    position += 1
    if apply(effect, to: &model) { return true }
    let expected = effect.outcome.map { "\($0)" } ?? "to leave \(effect.availableAfterExpiry ?? 0)"
    fail("effect \(position) of \(effects.count), \(effect.command), was not \(expected)")
    return false
  }

  /// What happened in one transaction has no order but the one that gives the answers.
  private mutating func putInOrder(_ start: Int) {
    let end =
      effects[start...].firstIndex {
        $0.transaction != effects[start].transaction
      } ?? effects.count
    guard end - start > 1, let order = order(of: Array(effects[start..<end]), on: model) else {
      return
    }
    effects.replaceSubrange(start..<end, with: order)
  }

  private func order(of effects: [Effect], on model: ReferenceLedger) -> [Effect]? {
    if effects.isEmpty { return [] }
    for (index, effect) in effects.enumerated() {
      var trial = model
      guard apply(effect, to: &trial) else { continue }
      var others = effects
      others.remove(at: index)
      if let rest = order(of: others, on: trial) { return [effect] + rest }
    }
    return nil
  }

  /// Whether it comes to what it came to.
  private func apply(_ effect: Effect, to model: inout ReferenceLedger) -> Bool {
    model.advance(seconds: effect.at - model.now)
    let outcome = model.apply(effect.command).asAnswered(to: effect.command)
    guard let available = effect.availableAfterExpiry else { return outcome == effect.outcome }
    return outcome == .ended(1) && model.accounts[account]?.available == available
  }

  /// Whether the ledger would answer so, now or at any time until its next change, or by the clock
  /// as it was while the answer was made. A deadline may pass in between, once.
  private func isExplained(_ observation: Observation, until next: Int64) -> Bool {
    if observation.attempt.isDone, !isClosed(observation.command) { return false }
    let attempt = observation.attempt
    let times = [model.now, next] + clock.times(attempt.sent, attempt.answered)
    return times.contains { now in
      var trial = model
      trial.advance(seconds: now - trial.now)
      let outcome = trial.apply(observation.command)
      return outcome.asAnswered(to: observation.command) == observation.outcome
    }
  }

  /// Whether a closing can be one that was done before.
  private func isClosed(_ command: ReferenceLedger.Command) -> Bool {
    switch command {
    case .capture(let close): model.holds[close.hold]?.state == .captured
    case .release(let close):
      [.released, .expired].contains(model.holds[close.hold]?.state ?? .reserved)
    default: false
    }
  }
}
