import Testing
import Tollgate

/// Accounts that others must not wait for go alone.
@Suite struct LaneQueuesTests {
  private typealias Queues = LaneQueues<Item>

  private func queues(
    _ items: [Item], capacity: Int = 100, account: Int = 100
  ) -> LaneQueues<Item> {
    var queues = Queues(capacity: capacity, accountCapacity: account, batchLimit: 100)
    _ = queues.enqueue(items)
    return queues
  }

  @Test func whatWasNotDecidedGoesAloneBeforeWhatElseWaitsOfItsAccount() {
    var queues = queues([Item("reserve", 1, 1), Item("reserve", 2, 2)])
    #expect(queues.batch()?.count == 2)
    let later = [Item("reserve", 1, 3), Item("reserve", 2, 4)]
    #expect(queues.enqueue(later) == .accepted(.init(common: false)))
    _ = queues.setAside(1, [Item("reserve", 1, 1)])
    #expect(queues.batch() == [Item("reserve", 2, 4)])
    #expect(queues.batchAlone() == [Item("reserve", 1, 1), Item("reserve", 1, 3)])
  }

  @Test func aBatchOfThoseThatGoAloneHasOneAccount() {
    var queues = queues([])
    for account in [1, 2] as [Int64] { _ = queues.setAside(account, []) }
    let items = [Item("reserve", 1, 1), Item("reserve", 2, 2), Item("reserve", 1, 3)]
    _ = queues.enqueue(items)
    #expect(queues.batch() == nil)
    #expect(queues.batchAlone() == [items[0], items[2]])
    #expect(queues.batchAlone() == [items[1]])
  }

  @Test func whatIsStillNotDecidedGoesBehindTheOthers() {
    var queues = queues([])
    for account in [1, 2] as [Int64] { _ = queues.setAside(account, []) }
    _ = queues.enqueue([Item("reserve", 1, 1), Item("reserve", 2, 2), Item("capture", 1, 3)])
    let first = queues.batchAlone() ?? []
    _ = queues.setAside(1, first)
    #expect(queues.batchAlone() == [Item("reserve", 2, 2)])
    #expect(queues.batchAlone() == [Item("reserve", 1, 1)])
    #expect(queues.batchAlone() == [Item("capture", 1, 3)])
  }

  @Test func anAccountSharesBatchesAgainWhenNothingMoreOfItWaits() {
    var queues = queues([])
    _ = queues.setAside(1, [Item("reserve", 1, 1)])
    _ = queues.batchAlone()
    _ = queues.enqueue([Item("reserve", 1, 2)])
    queues.rejoin(1)
    #expect(queues.batchAlone() == [Item("reserve", 1, 2)])
    queues.rejoin(1)
    _ = queues.enqueue([Item("reserve", 1, 3)])
    #expect(queues.batch() == [Item("reserve", 1, 3)])
  }

  @Test func whoIsAskedToWorkIsToldOnce() {
    var queues = queues([])
    #expect(queues.batch() == nil)
    #expect(queues.batchAlone() == nil)
    #expect(queues.setAside(1, []) == .init())
    #expect(queues.enqueue([Item("reserve", 1, 1)]) == .accepted(.init(alone: true)))
    #expect(queues.enqueue([Item("reserve", 1, 2)]) == .accepted(.init()))
    #expect(queues.enqueue([Item("reserve", 2, 3)]) == .accepted(.init(common: true)))
  }

  @Test func bothQueuesAreBoundedAndAdmitAllOrNone() {
    var queues = queues([], capacity: 2, account: 2)
    _ = queues.setAside(1, [Item("reserve", 1, 1), Item("reserve", 1, 2)])
    let mixed = [Item("reserve", 2, 1), Item("reserve", 1, 3)]
    #expect(queues.enqueue(mixed) == .full)
    #expect(queues.count == 2)
    #expect(queues.enqueue([mixed[0]]) == .accepted(.init()))
  }

  @Test func theQueueOfThoseThatGoAloneIsClosedLast() {
    var queues = queues([Item("reserve", 1, 1)])
    _ = queues.batchAlone()
    _ = queues.close()
    #expect(queues.enqueue([Item("reserve", 2, 2)]) == .closed)
    let batch = queues.batch() ?? []
    // What the last shared batch could not decide is still decided alone.
    #expect(queues.setAside(1, batch) == .init(alone: true))
    guard case .finished = queues.next().step else { return #expect(Bool(false)) }
    #expect(queues.batchAlone() == batch)
    guard case .finished = queues.nextAlone() else { return #expect(Bool(false)) }
  }

  @Test func onlySoManyAccountsAreRemembered() {
    var queues = queues([])
    for account in 1...2_000 as ClosedRange<Int64> { _ = queues.setAside(account, []) }
    _ = queues.enqueue([Item("reserve", 1, 1)])
    #expect(queues.batch() == [Item("reserve", 1, 1)])
  }
}

extension LaneQueues<Item> {
  fileprivate mutating func batch() -> [Item]? {
    if case .run(let items) = next().step { items } else { nil }
  }

  fileprivate mutating func batchAlone() -> [Item]? {
    if case .run(let items) = nextAlone() { items } else { nil }
  }
}
