/// What a lane carries: one item of a batch.
public protocol LaneItem: Sendable {
  associatedtype Kind: Hashable & Sendable
  associatedtype Key: Hashable & Sendable
  associatedtype Submission: Hashable & Sendable

  /// Items of one kind can share a batch.
  var kind: Kind { get }
  var account: Int64 { get }
  /// What the item is about within its account. Items on one thing keep their order, and two of
  /// them never share a batch.
  var key: Key { get }
  /// What it was submitted with: items of one submission and account keep their order. `nil` for
  /// one that came alone. Items of several are concurrent requests, which have no order; holding
  /// them apart would split the batches of a hot account at every change of kind.
  var submission: Submission? { get }
}

/// The state machine of a lane: what waits, and what goes into the next batch.
///
/// While one batch is in flight the next one gathers, so an idle lane adds no delay and a busy one
/// shares each commit among all that waits. The queue is bounded; a full one refuses at once.
public struct LaneQueue<Item: LaneItem>: Sendable {
  public enum Admission: Sendable, Equatable {
    /// `wakes`: the lane had nothing to do and must be told.
    case accepted(wakes: Bool)
    case full
    case closed
  }

  public enum Step: Sendable {
    case run([Item])
    /// Nothing waits; the next admission wakes the lane.
    case idle
    /// Closed and drained.
    case finished
  }

  private struct Subject: Hashable {
    let account: Int64
    let key: Item.Key

    init(_ item: Item) {
      account = item.account
      key = item.key
    }
  }

  /// The items of one submission on one account.
  private struct Sequence: Hashable {
    let account: Int64
    let submission: Item.Submission

    init?(_ item: Item) {
      guard let submission = item.submission else { return nil }
      account = item.account
      self.submission = submission
    }
  }

  private let capacity: Int
  private let accountCapacity: Int
  private let batchLimit: Int
  private var waiting: [Item] = []
  private var waitingByAccount: [Int64: Int] = [:]
  /// Whether the lane found nothing to do and nothing was admitted since.
  public private(set) var isIdle = false
  private var isClosed = false
  private var isOldestPassedOver = false

  /// - Parameter accountCapacity: how many of one account may wait, so that one which sends more
  ///   than can be done leaves room for the others.
  public init(capacity: Int, accountCapacity: Int, batchLimit: Int) {
    self.capacity = capacity
    self.accountCapacity = accountCapacity
    self.batchLimit = batchLimit
  }

  public var count: Int { waiting.count }

  /// Admits all of `items` in their order, or none.
  public mutating func enqueue(_ items: [Item]) -> Admission {
    if isClosed { return .closed }
    if !hasRoom(for: items) { return .full }
    return .accepted(wakes: append(items))
  }

  func hasRoom(for items: [Item]) -> Bool {
    if waiting.count + items.count > capacity { return false }
    if items.count == 1 { return hasRoom(for: 1, of: items[0].account) }
    return Dictionary(grouping: items, by: \.account).allSatisfy { account, items in
      hasRoom(for: items.count, of: account)
    }
  }

  private func hasRoom(for items: Int, of account: Int64) -> Bool {
    waitingByAccount[account, default: 0] + items <= accountCapacity
  }

  /// Takes in items that were admitted already, behind all others. Returns whether the lane must be
  /// woken to notice.
  mutating func append(_ items: [Item]) -> Bool {
    if items.isEmpty { return false }
    for item in items { waitingByAccount[item.account, default: 0] += 1 }
    waiting.append(contentsOf: items)
    defer { isIdle = false }
    return isIdle
  }

  /// Gives up all items of an account, in their order.
  mutating func remove(_ account: Int64) -> [Item] {
    guard waitingByAccount.removeValue(forKey: account) != nil else { return [] }
    let removed = waiting.filter { $0.account == account }
    waiting.removeAll { $0.account == account }
    return removed
  }

  func isWaiting(_ account: Int64) -> Bool { waitingByAccount[account] != nil }

  private mutating func discount(_ item: Item) {
    let left = waitingByAccount[item.account, default: 1] - 1
    waitingByAccount[item.account] = left == 0 ? nil : left
  }

  /// Takes the items out that are chosen, wherever they stand. What was submitted with them stays.
  public mutating func removeAll(where isChosen: (Item) -> Bool) -> [Item] {
    let chosen = waiting.filter(isChosen)
    if chosen.isEmpty { return [] }
    waiting.removeAll(where: isChosen)
    for item in chosen { discount(item) }
    return chosen
  }

  /// Admits nothing more. Returns whether the lane must be woken to notice.
  public mutating func close() -> Bool {
    isClosed = true
    defer { isIdle = false }
    return isIdle
  }

  /// The next batch: items of one kind, in order, at most `batchLimit`. To begin one costs much, so
  /// it is the kind of which most wait; but the oldest item is passed over only once.
  public mutating func next() -> Step {
    guard let oldest = waiting.first?.kind else { return rest() }
    var batch = take(isOldestPassedOver ? oldest : commonestKind(preferring: oldest))
    // Items that may not overtake older ones of another kind make no batch.
    if batch.isEmpty { batch = take(oldest) }
    isOldestPassedOver = batch.first?.kind != oldest
    return .run(batch)
  }

  /// The next batch of one account alone: that of the oldest item.
  mutating func nextAlone() -> Step {
    guard let oldest = waiting.first else { return rest() }
    return .run(take(oldest.kind, of: oldest.account))
  }

  private mutating func rest() -> Step {
    isIdle = !isClosed
    return isClosed ? .finished : .idle
  }

  /// The kind of which most wait; `preferred` when as many wait of it as of any other.
  private func commonestKind(preferring preferred: Item.Kind) -> Item.Kind {
    var counts: [Item.Kind: Int] = [:]
    for item in waiting { counts[item.kind, default: 0] += 1 }
    let commonest = counts.max { $0.value < $1.value }
    guard let commonest, commonest.value > counts[preferred, default: 0] else { return preferred }
    return commonest.key
  }

  /// Takes items of a kind, and of an account if one is given. One stays behind when an older one
  /// does that it must not overtake.
  private mutating func take(_ kind: Item.Kind, of account: Int64? = nil) -> [Item] {
    var batch: [Item] = []
    var left: [Item] = []
    // Those taken or left behind: either way the next item on the subject stays.
    var subjects = Set<Subject>(minimumCapacity: waiting.count)
    var sequencesLeft: Set<Sequence> = []
    for item in waiting {
      let isFirst = subjects.insert(Subject(item)).inserted
      let sequence = Sequence(item)
      let isNext = sequence.map { !sequencesLeft.contains($0) } ?? true
      if isFirst, isNext, item.kind == kind, account.map({ $0 == item.account }) ?? true,
        batch.count < batchLimit
      {
        batch.append(item)
      } else {
        left.append(item)
        if let sequence { sequencesLeft.insert(sequence) }
      }
    }
    waiting = left
    for item in batch { discount(item) }
    return batch
  }
}
