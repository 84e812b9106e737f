import Foundation
import Testing

@testable import TollgateBench

@Suite struct ReadingTests {
  @Test func readsAProcessWithAnyName() throws {
    let line =
      "4242 (a) b (c)) S 17 4242 4242 0 -1 4194560 100 200 0 0 250 50 1000 500 20 0 1 0 77 1 2"
    let status = try #require(ProcessStatus(line: line))
    #expect(status.parent == 17)
    #expect(status.own.user == 2.5 && status.own.system == 0.5)
    #expect(status.endedChildren.user == 10 && status.endedChildren.system == 5)
  }

  @Test(arguments: ["", "4242", "4242 (a) S 17"])
  func aBrokenLineIsNoProcess(line: String) {
    #expect(ProcessStatus(line: line) == nil)
  }

  @Test func readsTheLogOfPgbench() {
    let log = PgbenchLog(
      Data("0 1 1500 0 1700000000 250000\n3 2 900 0 1700000001 0\nbroken\n".utf8))
    #expect(
      log.transactions == [
        .init(end: 1_700_000_000.25, microseconds: 1_500),
        .init(end: 1_700_000_001, microseconds: 900),
      ])
    #expect(log.count(from: 1_700_000_000, to: 1_700_000_001).count == 1)
  }

  @Test(arguments: [(0, "0"), (7, "7"), (10, "10"), (1_000_000, "1000000")])
  func writesNumbers(number: Int, text: String) {
    var writer = ByteWriter()
    writer.write(number)
    #expect(String(decoding: writer.bytes, as: UTF8.self) == text)
  }
}
