import Logging
import Postgres
import Testing

@testable import TollgateStore

@Suite struct SharedReadTests {
  /// Nothing runs these readers, so what is asked of them waits.
  private let readers = Readers(
    ConnectionConfiguration(url: "postgresql://127.0.0.1:1/none"), count: 1,
    logger: Logger(label: "test"))

  @Test func oneReadPerKeyIsUnderWayHoweverManyAsk() async throws {
    let shared = SharedReads<String, Int>(readers)
    await withDiscardingTaskGroup { group in
      for number in 0..<50 {
        group.addTask {
          _ = try? await shared.read("key \(number % 2)", until: .now + .seconds(60)) { _, _ in 1 }
        }
      }
      while shared.waiting < 50 { await Task.yield() }
      #expect(readers.waiting == 2)
      group.cancelAll()
    }
    #expect(shared.waiting == 0)
  }

  @Test func whoComesWhenAReadIsOverStartsAnother() async throws {
    let shared = SharedReads<String, Int>(readers)
    for _ in 1...2 {
      await withDiscardingTaskGroup { group in
        group.addTask {
          _ = try? await shared.read("key", until: .now + .seconds(60)) { _, _ in 1 }
        }
        while shared.waiting < 1 { await Task.yield() }
        group.cancelAll()
      }
    }
    #expect(readers.waiting == 2)
  }
}
