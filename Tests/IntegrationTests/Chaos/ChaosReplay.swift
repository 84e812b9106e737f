import Foundation
import ReferenceLedger
import TestSupport
import TollgateStore

/// Replays one account on the reference ledger in the order that the tables give, and compares
/// every answer that its clients got.
struct ChaosReplay {
  /// What changed the account.
  private struct Effect {
    let at: Int64
    let command: ReferenceLedger.Command
    /// What was answered; `nil` for an expiry.
    let outcome: ReferenceLedger.Outcome?
    /// Between these it happened, by what the clients saw.
    let sent: ContinuousClock.Instant?
    let answered: ContinuousClock.Instant?
  }

  /// An answer that left no trace: a refusal, or a closing that was done before.
  private struct Observation {
    let command: ReferenceLedger.Command
    let attempt: ChaosAttempt
    let outcome: ReferenceLedger.Outcome
    /// How many effects there were before it, at least and at most.
    let positions: ClosedRange<Int>
  }

  private let account: ReferenceLedger.AccountID
  private let end: Int64
  private var model: ReferenceLedger
  private var effects: [Effect] = []
  private var observations: [Observation] = []
  private(set) var violations: [String] = []

  var effectCount: Int { effects.count }
  var observationCount: Int { observations.count }

  init(
    _ account: AccountReference, _ operations: [ChaosOperation], _ facts: ChaosFacts
  ) {
    self.account = .init(tenant: account.tenant, name: account.name)
    end = facts.now
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

  private mutating func fail(_ text: String) {
    violations.append(Scenario.text("\(account.name): \(text)"))
  }

  private mutating func compareBooks(_ books: String?) {
    let expected = ChaosBooks.text(of: account, in: model)
    if effects.isEmpty ? books != nil : books != expected {
      fail("the books are \(books ?? "none")\nnot \(expected)")
    }
  }
}

extension ChaosReplay {
  private mutating func read(_ facts: [ChaosFacts.Effect], _ operations: [ChaosOperation]) {
    var byKey: [UUID: ChaosOperation] = [:]
    for operation in operations where !operation.isImpostor {
      byKey[operation.command.derivedKey] = operation
    }
    var done: Set<ObjectIdentifier> = []
    for fact in facts {
      guard let operation = byKey[fact.key] else {
        fail("nobody asked for what happened at \(fact.at)")
        continue
      }
      if !fact.isExpiry { done.insert(ObjectIdentifier(operation)) }
      effects.append(effect(fact, of: operation))
    }
    checkOrder()
    let (starts, ends) = bounds()
    for operation in operations {
      observe(operation, hasEffect: done.contains(ObjectIdentifier(operation)), starts, ends)
    }
  }

  private mutating func effect(
    _ fact: ChaosFacts.Effect, of operation: ChaosOperation
  ) -> Effect {
    if fact.isExpiry {
      let hold = ReferenceLedger.HoldID(account, operation.command.key)
      return Effect(
        at: fact.at, command: .expire([hold]), outcome: nil, sent: nil, answered: nil)
    }
    let attempts = operation.attempts
    let answers = attempts.filter(\.isDone)
    if answers.isEmpty { fail("\(operation.command) happened, but was never answered so") }
    if Set(answers.map(\.answer)).count > 1 { fail("\(operation.command): several answers") }
    let first = answers.min { $0.answered < $1.answered }
    if let first, attempts.contains(where: { $0.isRefused && $0.sent > first.answered }) {
      fail("\(operation.command) was refused after it was done")
    }
    return Effect(
      at: fact.at, command: operation.command,
      outcome: first?.answer.flatMap { .init($0, to: operation.command) },
      sent: attempts.filter { !$0.leftNothing }.map(\.sent).min(), answered: first?.answered)
  }

  /// What was answered before something else was sent happened before it.
  private mutating func checkOrder() {
    var earliest: ContinuousClock.Instant?
    for effect in effects.reversed() {
      if let sent = effect.sent, let earliest, earliest < sent {
        fail("\(effect.command) happened before what was answered before it was sent")
      }
      earliest = [earliest, effect.answered].compactMap(\.self).min()
    }
  }

  /// Per number of effects: when all of them had been sent at the earliest, and when one of the
  /// others was answered at the earliest. Both never decrease.
  private func bounds() -> (starts: [ContinuousClock.Instant?], ends: [ContinuousClock.Instant?]) {
    var starts: [ContinuousClock.Instant?] = [nil]
    for effect in effects {
      starts.append([starts.last ?? nil, effect.sent].compactMap(\.self).max())
    }
    var ends: [ContinuousClock.Instant?] = [nil]
    for effect in effects.reversed() {
      ends.append([ends.last ?? nil, effect.answered].compactMap(\.self).min())
    }
    return (starts, ends.reversed())
  }

  private mutating func observe(
    _ operation: ChaosOperation, hasEffect: Bool, _ starts: [ContinuousClock.Instant?],
    _ ends: [ContinuousClock.Instant?]
  ) {
    for attempt in operation.attempts where attempt.isRefused || attempt.isDone && !hasEffect {
      guard let answer = attempt.answer, let outcome = Outcome(answer, to: operation.command) else {
        fail("\(operation.command) was answered \(attempt.answer?.text ?? "")")
        continue
      }
      let low = ends.partitioningIndex { $0.map { $0 >= attempt.sent } ?? true }
      let high = starts.partitioningIndex { $0.map { $0 > attempt.answered } ?? false } - 1
      observations.append(
        Observation(
          command: operation.command, attempt: attempt, outcome: outcome,
          positions: min(low, high)...max(low, high)))
    }
  }

  private typealias Outcome = ReferenceLedger.Outcome
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

  /// What happened in one transaction has one time; its order is the one that gives the answers.
  private mutating func advance(_ position: inout Int) -> Bool {
    let at = effects[position].at
    let end = effects[position...].firstIndex { $0.at != at } ?? effects.count
    if end - position > 1 {
      model.advance(seconds: at - model.now)
      if let order = order(of: Array(effects[position..<end]), on: model) {
        effects.replaceSubrange(position..<end, with: order)
      }
    }
    let effect = effects[position]
    let outcome = apply(effect, to: &model)
    position += 1
    guard matches(outcome, effect) else {
      fail(
        "effect \(position) of \(effects.count), \(effect.command), was answered "
          + "\(effect.outcome.map { "\($0)" } ?? "as an expiry"), not \(outcome)")
      return false
    }
    return true
  }

  private func order(of effects: [Effect], on model: ReferenceLedger) -> [Effect]? {
    if effects.isEmpty { return [] }
    for (index, effect) in effects.enumerated() {
      var trial = model
      guard matches(apply(effect, to: &trial), effect) else { continue }
      var others = effects
      others.remove(at: index)
      if let rest = order(of: others, on: trial) { return [effect] + rest }
    }
    return nil
  }

  private func apply(_ effect: Effect, to model: inout ReferenceLedger) -> ReferenceLedger.Outcome {
    model.advance(seconds: effect.at - model.now)
    return model.apply(effect.command).asAnswered(to: effect.command)
  }

  private func matches(_ outcome: ReferenceLedger.Outcome, _ effect: Effect) -> Bool {
    outcome == effect.outcome ?? .ended(1)
  }

  /// Whether the ledger would answer so, now or at any time until its next change. A deadline may
  /// pass in between, once.
  private func isExplained(_ observation: Observation, until next: Int64) -> Bool {
    if observation.attempt.isDone, !isClosed(observation.command) { return false }
    return [model.now, max(next, model.now)].contains { now in
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

extension ReferenceLedger.Command {
  /// The key as the tables have it.
  fileprivate var derivedKey: UUID {
    switch self {
    case .reserve, .charge, .expire: KeyScope.reservation.derive(key)
    case .capture: KeyScope.capture.derive(key)
    case .release: KeyScope.release.derive(key)
    case .extend: KeyScope.extend.derive(key)
    case .grant: KeyScope.grant.derive(key)
    }
  }
}

extension Array {
  /// The first index from which on the condition holds; it never ceases to hold.
  fileprivate func partitioningIndex(where holds: (Element) -> Bool) -> Int {
    var (low, high) = (startIndex, endIndex)
    while low < high {
      let middle = (low + high) / 2
      if holds(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
