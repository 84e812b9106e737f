/// What is known of the keys that were presented lately. Times are handed in.
struct KeyMemory {
  /// A key that was looked up; `nil` stands for nobody's.
  struct Known: Equatable {
    let principal: Principal?
  }

  private struct Good {
    let principal: Principal
    let time: ContinuousClock.Instant
  }

  /// How long what was found holds, and so how long a revoked key may still be honoured.
  static let lifetime = Duration.seconds(1)
  /// How long a key that was good stays good while the database cannot be asked.
  static let grace = Duration.seconds(30)
  /// Keys kept of either kind; when there are more it starts over.
  static let limit = 10_000

  private var good: [String: Good] = [:]
  /// Apart from the good ones, which nobody can push out by presenting what is no key.
  private var bad: [String: ContinuousClock.Instant] = [:]

  /// What still holds of a key.
  func recall(_ key: String, at now: ContinuousClock.Instant) -> Known? {
    if let good = good[key], now - good.time < Self.lifetime {
      return Known(principal: good.principal)
    }
    if let time = bad[key], now - time < Self.lifetime { return Known(principal: nil) }
    return nil
  }

  /// Who a key belonged to when it was looked up last, if that was lately and it was good.
  func goodLately(_ key: String, at now: ContinuousClock.Instant) -> Principal? {
    guard let good = good[key], now - good.time < Self.grace else { return nil }
    return good.principal
  }

  /// Whether a key was good when it was looked up last, however long ago.
  func wasGood(_ key: String) -> Bool { good[key] != nil }

  /// - Parameter now: before the look-up began.
  mutating func remember(_ key: String, _ principal: Principal?, at now: ContinuousClock.Instant) {
    if let principal {
      bad[key] = nil
      if good.count >= Self.limit { good.removeAll(keepingCapacity: true) }
      good[key] = Good(principal: principal, time: now)
    } else {
      good[key] = nil
      if bad.count >= Self.limit { bad.removeAll(keepingCapacity: true) }
      bad[key] = now
    }
  }
}
