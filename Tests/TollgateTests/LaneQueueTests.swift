import Testing
import Tollgate

struct Item: LaneItem, Equatable {
  let kind: String
  let account: Int64
  let key: Int
  let submission: Int?

  init(_ kind: String, _ account: Int64, _ key: Int, by submission: Int? = 0) {
    self.kind = kind
    self.account = account
    self.key = key
    self.submission = submission
  }
}

extension LaneQueue<Item> {
  fileprivate mutating func batch() -> [Item]? {
    if case .run(let items) = next() { items } else { nil }
  }
}

@Suite struct LaneQueueTests {
  private func queue(_ items: [Item], capacity: Int = 100, batch: Int = 100) -> LaneQueue<Item> {
    var queue = LaneQueue<Item>(
      capacity: capacity, accountCapacity: capacity, batchLimit: batch)
    _ = queue.enqueue(items)
    return queue
  }

  @Test func allThatWaitsAndIsOfOneKindSharesABatch() {
    let items = (0..<5).map { Item("reserve", Int64($0), $0) }
    var queue = queue(items)
    #expect(queue.batch() == items)
    #expect(queue.count == 0)
  }

  @Test func theKindOfWhichMostWaitGoesFirst() {
    var queue = queue([Item("reserve", 1, 1), Item("capture", 2, 2), Item("capture", 3, 3)])
    #expect(queue.batch() == [Item("capture", 2, 2), Item("capture", 3, 3)])
    #expect(queue.batch() == [Item("reserve", 1, 1)])
  }

  @Test func theOldestItemChoosesAmongKindsOfWhichAsManyWait() {
    var queue = queue([Item("capture", 1, 1), Item("reserve", 2, 2)])
    #expect(queue.batch() == [Item("capture", 1, 1)])
    #expect(queue.batch() == [Item("reserve", 2, 2)])
  }

  @Test func theOldestItemIsPassedOverOnlyOnce() {
    let captures = (0..<6).map { Item("capture", 2, $0) }
    var queue = queue([Item("reserve", 1, 9)] + captures, batch: 2)
    #expect(queue.batch() == Array(captures[..<2]))
    #expect(queue.batch() == [Item("reserve", 1, 9)])
    #expect(queue.batch() == Array(captures[2..<4]))
  }

  @Test func aKindThatMayNotOvertakeTheOldestItemWaits() {
    var queue = queue([Item("reserve", 1, 1), Item("capture", 1, 2), Item("capture", 1, 3)])
    #expect(queue.batch() == [Item("reserve", 1, 1)])
    #expect(queue.batch() == [Item("capture", 1, 2), Item("capture", 1, 3)])
  }

  @Test func anAccountWithTooMuchWaitingLeavesRoomForOthers() {
    var queue = LaneQueue<Item>(capacity: 10, accountCapacity: 3, batchLimit: 2)
    let first = queue.enqueue([Item("reserve", 1, 1), Item("reserve", 1, 2)])
    #expect(first == .accepted(wakes: false))
    // All or none: the one that would fit is not kept.
    #expect(queue.enqueue([Item("reserve", 1, 3), Item("reserve", 1, 4)]) == .full)
    #expect(queue.count == 2)
    #expect(queue.enqueue([Item("reserve", 2, 5)]) == .accepted(wakes: false))
    #expect(queue.enqueue([Item("reserve", 1, 6)]) == .accepted(wakes: false))
    #expect(queue.enqueue([Item("reserve", 1, 7)]) == .full)
    // What is taken no longer waits.
    #expect(queue.batch()?.map(\.key) == [1, 2])
    #expect(
      queue.enqueue([Item("reserve", 1, 8), Item("reserve", 1, 9)]) == .accepted(wakes: false))
  }

  @Test func anItemNeverOvertakesAnOlderOneOfItsSubmissionAndAccount() {
    var queue = queue([
      Item("reserve", 1, 1), Item("capture", 1, 9), Item("reserve", 1, 2), Item("reserve", 2, 3),
    ])
    #expect(queue.batch() == [Item("reserve", 1, 1), Item("reserve", 2, 3)])
    #expect(queue.batch() == [Item("capture", 1, 9)])
    #expect(queue.batch() == [Item("reserve", 1, 2)])
  }

  @Test func concurrentRequestsOnOneAccountShareABatchAcrossOtherKinds() {
    let items = (0..<6).map { Item($0.isMultiple(of: 2) ? "reserve" : "capture", 1, $0, by: $0) }
    var queue = queue(items)
    #expect(queue.batch()?.map(\.key) == [0, 2, 4])
    #expect(queue.batch()?.map(\.key) == [1, 3, 5])
  }

  @Test func anItemNeverOvertakesAnOlderOneOnItsSubject() {
    var queue = queue([
      Item("reserve", 1, 1, by: 1), Item("extend", 1, 7, by: 2), Item("reserve", 1, 7, by: 3),
      Item("reserve", 1, 8, by: 4),
    ])
    #expect(queue.batch()?.map(\.key) == [1, 8])
    #expect(queue.batch()?.map(\.kind) == ["extend"])
    #expect(queue.batch()?.map(\.kind) == ["reserve"])
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
    var queue = LaneQueue<Item>(capacity: 10, accountCapacity: 10, batchLimit: 10)
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
    var queue = LaneQueue<Item>(capacity: 10, accountCapacity: 10, batchLimit: 10)
    _ = queue.next()
    let wakes = queue.close()
    #expect(wakes)
  }

  @Test(arguments: 0..<200)
  func everyItemRunsOnceInTheOrderItMustKeep(seed: UInt64) {
    var random = SeededRandom(state: seed)
    let items = (0..<60).map { key in
      Item(
        ["reserve", "capture", "release"].randomElement(using: &random)!,
        Int64.random(in: 1...4, using: &random), key % Int.random(in: 1...60, using: &random),
        by: Int.random(in: 0...2, using: &random))
    }
    var queue = queue(items, batch: 7)
    var done: [Item] = []
    while let batch = queue.batch() {
      #expect(Set(batch.map(\.kind)).count == 1 && batch.count <= 7)
      done += batch
    }
    #expect(done.count == items.count)
    for account in Int64(1)...4 {
      for submission in 0...2 {
        let isOwn = { (item: Item) in item.account == account && item.submission == submission }
        #expect(done.filter(isOwn) == items.filter(isOwn))
      }
      for key in 0..<60 {
        let isOwn = { (item: Item) in item.account == account && item.key == key }
        #expect(done.filter(isOwn) == items.filter(isOwn))
      }
    }
  }

  @Test func whatIsTakenOutLeavesItsAccountRoom() {
    let items = (0..<4).map { Item("reserve", Int64($0 % 2), $0) }
    var queue = LaneQueue<Item>(capacity: 10, accountCapacity: 2, batchLimit: 10)
    _ = queue.enqueue(items)
    #expect(queue.enqueue([Item("reserve", 0, 9)]) == .full)
    #expect(queue.removeAll { $0.key < 2 } == [items[0], items[1]])
    #expect(queue.removeAll { $0.key < 2 } == [])
    #expect(queue.enqueue([Item("reserve", 0, 9)]) == .accepted(wakes: false))
    #expect(queue.batch() == [items[2], items[3], Item("reserve", 0, 9)])
  }
}
