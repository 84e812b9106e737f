import Foundation
import ReferenceLedger
import TollgateStore

extension ChaosReplay {
  mutating func read(_ facts: [ChaosFacts.Effect], _ operations: [ChaosOperation]) {
    var byKey: [UUID: ChaosOperation] = [:]
    for operation in operations where !operation.isImpostor {
      byKey[ReservationKey.withoutWeek(operation.command.derivedKey)] = operation
    }
    var done: Set<ObjectIdentifier> = []
    for fact in facts {
      guard let operation = byKey[ReservationKey.withoutWeek(fact.key)] else {
        fail("nobody asked for what happened at \(fact.at)")
        continue
      }
      if fact.availableAfterExpiry == nil { done.insert(ObjectIdentifier(operation)) }
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
    if let available = fact.availableAfterExpiry {
      let hold = ReferenceLedger.HoldID(account, operation.command.key)
      return Effect(
        at: fact.at, transaction: fact.transaction, command: .expire([hold]), outcome: nil,
        availableAfterExpiry: available,
        sent: nil, answered: nil)
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
      at: fact.at, transaction: fact.transaction, command: operation.command,
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

extension ReferenceLedger.Command {
  /// The key as the tables have it, but for the week.
  var derivedKey: UUID {
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
