import Postgres
import Testing

@testable import TollgateStore

/// A read that only records what it is told.
private typealias Read = PendingRead<Int>

private let start = ContinuousClock.now

private func after(_ milliseconds: Int) -> ContinuousClock.Instant {
  start + .milliseconds(milliseconds)
}

private func waiter(until milliseconds: Int, since: Int = 0) -> ReadWaiter<Int> {
  ReadWaiter(until: after(milliseconds), since: after(since))
}

private func read(for waiter: ReadWaiter<Int>, isOfStranger: Bool = false) -> Read {
  Read(for: waiter, isOfStranger: isOfStranger) { _, _ in 1 }
}

extension ReadWaiter<Int> {
  /// What it was told; `nil` while it waits.
  fileprivate var error: StoreError? {
    get async {
      guard !isWaiting, case .failure(let error) = await found() else { return nil }
      return error
    }
  }
}

@Suite struct ReadQueueTests {
  private var queue = ReadQueue(capacity: 3, connections: 2)

  @Test mutating func theOldestReadThatIsInTimeIsTaken() async {
    let (late, first, second) = (
      waiter(until: 1_000), waiter(until: 3_000), waiter(until: 3_000)
    )
    let reads = [late, first, second].map { read(for: $0) }
    for read in reads { #expect(queue.admit(read) == .accepted(wakes: false)) }
    #expect(queue.take(for: 0, at: after(900)) === reads[1])
    #expect(queue.take(for: 1, at: after(900)) === reads[2])
    #expect(await late.error == .unavailable)
    #expect(first.isWaiting && second.isWaiting)
  }

  @Test mutating func strangersHaveABoundedShare() {
    let reads = (0..<12).map { number in
      read(for: waiter(until: 3_000), isOfStranger: number < 6)
    }
    queue = ReadQueue(capacity: 6, connections: 1)
    for read in reads { #expect(queue.admit(read) == .accepted(wakes: false)) }
    let taken = reads.map { _ in queue.take(for: 0, at: after(0)) }
    let order = taken.map { $0?.isOfStranger == true ? "s" : "-" }.joined()
    #expect(order == "---s---sssss")
  }

  @Test mutating func strangersFillNoQueueButTheirOwn() {
    for _ in 1...3 {
      let read = read(for: waiter(until: 3_000), isOfStranger: true)
      #expect(queue.admit(read) == .accepted(wakes: false))
    }
    #expect(queue.admit(read(for: waiter(until: 3_000), isOfStranger: true)) == .refused)
    #expect(queue.admit(read(for: waiter(until: 3_000))) == .accepted(wakes: false))
  }

  /// What would be answered too late is not begun, or all behind it would be late too.
  @Test mutating func whatHasHardlyTimeLeftIsNotTaken() {
    _ = queue.admit(read(for: waiter(until: 3_000)))
    #expect(queue.take(for: 0, at: after(3_000) - leastTime) == nil)
    #expect(queue.count == 0)
  }

  @Test mutating func whoWaitsIsToldInTimeWhileEveryConnectionIsBusy() async {
    let (early, late) = (waiter(until: 1_000), waiter(until: 3_000))
    _ = queue.admit(read(for: late))
    _ = queue.admit(read(for: early))
    queue.dropLate(at: after(500))
    #expect(early.isWaiting && late.isWaiting)
    queue.dropLate(at: after(1_000))
    #expect(await early.error == .unavailable)
    #expect(late.isWaiting)
    #expect(queue.count == 1)
  }

  @Test mutating func whoWaitsForAReadUnderWayIsToldAtTheDeadline() async {
    let (early, late) = (waiter(until: 1_000), waiter(until: 3_000))
    let read = read(for: late)
    #expect(read.join(early))
    _ = queue.admit(read)
    #expect(queue.take(for: 0, at: after(0)) === read)
    queue.dropLate(at: after(1_000))
    #expect(await early.error == .unavailable)
    #expect(late.isWaiting)
  }

  @Test mutating func whereOthersWereAnsweredMeanwhileThereAreTooMany() async {
    let waiter = waiter(until: 3_000)
    _ = queue.admit(read(for: waiter))
    queue.answered(0, at: after(2_000))
    queue.dropLate(at: after(3_000))
    #expect(await waiter.error == .overloaded)
  }

  @Test mutating func aFullOrClosedQueueRefuses() {
    for _ in 0..<3 { _ = queue.admit(read(for: waiter(until: 3_000))) }
    #expect(queue.admit(read(for: waiter(until: 3_000))) == .refused)
    _ = queue.take(for: 0, at: start)
    _ = queue.close()
    #expect(queue.admit(read(for: waiter(until: 3_000))) == .refused)
    #expect(queue.step() == .work)
    while queue.take(for: 0, at: start) != nil {}
    #expect(queue.step() == .finished)
  }

  /// Both connections may be lost, and then one is new.
  @Test mutating func aReadWhoseConnectionWasLostComesFirstUntilOneIsNew() {
    let reads = [waiter(until: 3_000), waiter(until: 3_000)].map { read(for: $0) }
    for read in reads { _ = queue.admit(read) }
    for connection in [0, 1] {
      #expect(queue.take(for: connection, at: start) === reads[0])
      queue.failed(connection, .unavailable)
      #expect(queue.putBack(reads[0]) == false)
    }
    #expect(queue.take(for: 0, at: start) === reads[0])
    #expect(queue.putBack(reads[0]) == nil)
    #expect(queue.take(for: 0, at: start) === reads[1])
  }

  @Test mutating func aConnectionThatSleepsIsToldOnce() {
    #expect(queue.step() == .sleep)
    #expect(queue.admit(read(for: waiter(until: 3_000))) == .accepted(wakes: true))
    #expect(queue.admit(read(for: waiter(until: 3_000))) == .accepted(wakes: false))
  }

  @Test mutating func itIsServedAsLongAsAnyConnectionWorks() {
    queue.failed(0, .unavailable)
    #expect(queue.isServed)
    queue.failed(1, .unavailable)
    #expect(!queue.isServed)
    queue.answered(0, at: start)
    #expect(queue.isServed)
  }

  @Test mutating func whatNobodyWaitsForIsNotTaken() async {
    let gone = waiter(until: 3_000)
    _ = queue.admit(read(for: gone))
    let task = Task { await gone.found() }
    task.cancel()
    _ = await task.value
    #expect(queue.take(for: 0, at: start) == nil)
  }
}
