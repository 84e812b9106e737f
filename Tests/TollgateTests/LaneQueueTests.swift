import Testing
import Tollgate

private struct Item: LaneItem, Equatable {
  let kind: String
  let account: Int64
  let key: Int

  init(_ kind: String, _ account: Int64, _ key: Int) {
    self.kind = kind
    self.account = account
    self.key = key
  }
}

extension LaneQueue<Item> {
  fileprivate mutating func batch() -> [Item]? {
    if case .run(let items) = next() { items } else { nil }
  }
}

@Suite struct LaneQueueTests {
  private func queue(_ items: [Item], capacity: Int = 100, batch: Int = 100) -> LaneQueue<Item> {
    var queue = LaneQueue<Item>(capacity: capacity, batchLimit: batch)
    _ = queue.enqueue(items)
    return queue
  }

  @Test func allThatWaitsAndIsOfOneKindSharesABatch() {
    let items = (0..<5).map { Item("reserve", Int64($0), $0) }
    var queue = queue(items)
    #expect(queue.batch() == items)
    #expect(queue.count == 0)
  }

  @Test func theOldestItemChoosesTheKind() {
    var queue = queue([Item("capture", 1, 1), Item("reserve", 2, 2), Item("capture", 3, 3)])
    #expect(queue.batch() == [Item("capture", 1, 1), Item("capture", 3, 3)])
    #expect(queue.batch() == [Item("reserve", 2, 2)])
  }

  @Test func anItemNeverOvertakesAnOlderOneOfItsAccount() {
    var queue = queue([
      Item("reserve", 1, 1), Item("capture", 1, 1), Item("reserve", 1, 2), Item("reserve", 2, 3),
    ])
    #expect(queue.batch() == [Item("reserve", 1, 1), Item("reserve", 2, 3)])
    #expect(queue.batch() == [Item("capture", 1, 1)])
    #expect(queue.batch() == [Item("reserve", 1, 2)])
  }

  @Test func twoItemsOnOneSubjectNeverShareABatch() {
    var queue = queue([Item("reserve", 1, 7), Item("reserve", 1, 7), Item("reserve", 2, 7)])
    #expect(queue.batch() == [Item("reserve", 1, 7), Item("reserve", 2, 7)])
    #expect(queue.batch() == [Item("reserve", 1, 7)])
  }

  @Test func aBatchHasALimit() {
    var queue = queue((0..<5).map { Item("reserve", 1, $0) }, batch: 2)
    #expect(queue.batch()?.map(\.key) == [0, 1])
    #expect(queue.batch()?.map(\.key) == [2, 3])
    #expect(queue.batch()?.map(\.key) == [4])
  }

  @Test func aFullQueueRefusesAllOrAdmitsAll() {
    var queue = queue([Item("reserve", 1, 1)], capacity: 2)
    #expect(queue.enqueue([Item("reserve", 1, 2), Item("reserve", 1, 3)]) == .full)
    #expect(queue.count == 1)
    #expect(queue.enqueue([Item("reserve", 1, 2)]) == .accepted(wakes: false))
    #expect(queue.enqueue([Item("reserve", 1, 3)]) == .full)
  }

  @Test func onlyAnIdleLaneIsWoken() {
    var queue = LaneQueue<Item>(capacity: 10, batchLimit: 10)
    #expect(queue.enqueue([Item("reserve", 1, 1)]) == .accepted(wakes: false))
    #expect(queue.batch() != nil)
    #expect(queue.batch() == nil)
    #expect(queue.isIdle)
    #expect(queue.enqueue([Item("reserve", 1, 2)]) == .accepted(wakes: true))
    #expect(queue.enqueue([Item("reserve", 1, 3)]) == .accepted(wakes: false))
  }

  @Test func aClosedQueueIsDrainedAndThenFinished() {
    var queue = queue([Item("reserve", 1, 1)])
    let wakes = queue.close()
    #expect(!wakes)
    #expect(queue.enqueue([Item("reserve", 1, 2)]) == .closed)
    #expect(queue.batch() == [Item("reserve", 1, 1)])
    guard case .finished = queue.next() else {
      Issue.record("a drained closed queue is finished")
      return
    }
  }

  @Test func closingWakesAnIdleLane() {
    var queue = LaneQueue<Item>(capacity: 10, batchLimit: 10)
    _ = queue.next()
    let wakes = queue.close()
    #expect(wakes)
  }

  @Test(arguments: 0..<200)
  func everyItemRunsOnceInTheOrderOfItsAccount(seed: UInt64) {
    var random = SeededRandom(state: seed)
    let items = (0..<60).map { key in
      Item(
        ["reserve", "capture", "release"].randomElement(using: &random)!,
        Int64.random(in: 1...4, using: &random), key % Int.random(in: 1...60, using: &random))
    }
    var queue = queue(items, batch: 7)
    var done: [Item] = []
    while let batch = queue.batch() {
      #expect(Set(batch.map(\.kind)).count == 1 && batch.count <= 7)
      done += batch
    }
    for account in Int64(1)...4 {
      #expect(done.filter { $0.account == account } == items.filter { $0.account == account })
    }
  }
}
