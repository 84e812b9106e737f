/// What waits in a lane, in two queues: the common one, whose batches many accounts share, and that
/// of the accounts that go alone, since somebody else has locked them or their books are broken.
/// Whoever shared a batch with one of those would wait, or fail, as well.
///
/// All items of an account are in one of the queues, so they keep their order.
public struct LaneQueues<Item: LaneItem>: Sendable {
  public typealias Queue = LaneQueue<Item>

  /// Which lanes must be told that there is something to do.
  public struct Wakes: Sendable, Equatable {
    public var common: Bool
    public var alone: Bool

    public init(common: Bool = false, alone: Bool = false) {
      self.common = common
      self.alone = alone
    }
  }

  public enum Admission: Sendable, Equatable {
    case accepted(Wakes)
    case full
    case closed
  }

  /// Accounts remembered as going alone though nothing of them waits.
  private static var restingLimit: Int { 1_000 }

  private var common: Queue
  private var alone: Queue
  private var accountsAlone: Set<Int64> = []

  public init(capacity: Int, accountCapacity: Int, batchLimit: Int) {
    common = Queue(capacity: capacity, accountCapacity: accountCapacity, batchLimit: batchLimit)
    alone = common
  }

  public var count: Int { common.count + alone.count }

  /// Admits all of `items` in their order, or none.
  public mutating func enqueue(_ items: [Item]) -> Admission {
    if accountsAlone.isEmpty { return Admission(common.enqueue(items)) }
    let goingAlone = items.filter { accountsAlone.contains($0.account) }
    if goingAlone.isEmpty { return Admission(common.enqueue(items)) }
    guard alone.hasRoom(for: goingAlone) else { return .full }
    let admission = common.enqueue(items.filter { !accountsAlone.contains($0.account) })
    guard case .accepted(let wakes) = admission else { return Admission(admission) }
    return .accepted(Wakes(common: wakes, alone: alone.append(goingAlone)))
  }

  /// The next batch of accounts that share one. The queue of those that go alone is closed with the
  /// last of it, which may have to go there.
  public mutating func next() -> (step: Queue.Step, wakes: Wakes) {
    let step = common.next()
    guard case .finished = step else { return (step, Wakes()) }
    return (step, Wakes(alone: alone.close()))
  }

  /// The next batch of one account that goes alone.
  public mutating func nextAlone() -> Queue.Step { alone.nextAlone() }

  /// Takes back items of an account that could not be decided, in front of what else waits of it;
  /// from now on it goes alone, behind the others that do.
  public mutating func setAside(_ account: Int64, _ undecided: [Item]) -> Wakes {
    if accountsAlone.insert(account).inserted { forgetResting() }
    let waiting = common.remove(account) + alone.remove(account)
    return Wakes(alone: alone.append(undecided + waiting))
  }

  /// Takes the items out that are chosen, wherever they stand.
  public mutating func removeAll(
    where isChosen: (Item) -> Bool
  ) -> (common: [Item], alone: [Item]) {
    (common.removeAll(where: isChosen), alone.removeAll(where: isChosen))
  }

  /// A batch of the account went through. It shares batches again when nothing more of it waits.
  public mutating func rejoin(_ account: Int64) {
    if !alone.isWaiting(account) { accountsAlone.remove(account) }
  }

  private mutating func forgetResting() {
    guard accountsAlone.count > Self.restingLimit else { return }
    accountsAlone = accountsAlone.filter { alone.isWaiting($0) }
  }

  /// Admits nothing more.
  public mutating func close() -> Wakes { Wakes(common: common.close()) }
}

extension LaneQueues.Admission {
  fileprivate init(_ admission: LaneQueue<Item>.Admission) {
    self =
      switch admission {
      case .accepted(let wakes): .accepted(.init(common: wakes))
      case .full: .full
      case .closed: .closed
      }
  }
}
