extension ReferenceLedger {
  /// A batch of one kind, in the order in which the SQL functions decide it: as it stands, but for
  /// - a capture, release or extend of a reservation, or with a key, that stands earlier in the
  ///   batch too, and a capture of an expired hold: one by one at the end.
  public mutating func apply(_ batch: [Command]) -> [Outcome] {
    let rounds = rounds(of: batch)
    let order = batch.indices.sorted { (rounds[$0], $0) < (rounds[$1], $1) }
    if case .charge = batch.first { return charge(batch, in: order) }
    var outcomes: [Int: Outcome] = [:]
    for index in order { outcomes[index] = apply(batch[index]) }
    return batch.indices.compactMap { outcomes[$0] }
  }

  /// All are held first; what was held is then charged.
  private mutating func charge(_ batch: [Command], in order: [Int]) -> [Outcome] {
    var answers: [Int: (outcome: Outcome, isNew: Bool)] = [:]
    for index in order {
      guard case .charge(let reserve) = batch[index] else { continue }
      answers[index] = hold(reserve, body: batch[index].body)
    }
    for index in batch.indices where answers[index]?.isNew == true {
      guard case .charge(let reserve) = batch[index] else { continue }
      _ = capture(Close(reserve.hold), body: batch[index].body)
    }
    return batch.indices.compactMap { answers[$0]?.outcome }
  }

  private func rounds(of batch: [Command]) -> [Int] {
    let holds = Self.occurrences(of: batch.map(\.hold))
    let keys = Self.occurrences(of: batch.map(\.scopedKey))
    return batch.indices.map { index in
      switch batch[index] {
      case .reserve, .charge, .expire, .grant: 1
      case .capture(let close) where batch.count > 1 && self.holds[close.hold]?.state == .expired: 2
      case .capture, .release, .extend: min(max(holds[index], keys[index]), 2)
      }
    }
  }

  /// Counted from 1; the first of its kind, and `nil`, is 1.
  private static func occurrences<Key: Hashable>(of keys: [Key?]) -> [Int] {
    var counts: [Key: Int] = [:]
    return keys.map { key in
      guard let key else { return 1 }
      counts[key, default: 0] += 1
      return counts[key, default: 1]
    }
  }
}

extension ReferenceLedger.Command {
  fileprivate var hold: ReferenceLedger.HoldID? {
    switch self {
    case .reserve(let command), .charge(let command): command.hold
    case .capture(let command), .release(let command): command.hold
    case .extend(let command): command.hold
    case .expire, .grant: nil
    }
  }

  /// The key of an action on a hold, with its account.
  fileprivate var scopedKey: ReferenceLedger.HoldID? {
    switch self {
    case .capture(let command), .release(let command):
      command.key.map { .init(command.hold.account, $0) }
    case .extend(let command): command.key.map { .init(command.hold.account, $0) }
    case .reserve, .charge, .expire, .grant: nil
    }
  }
}
