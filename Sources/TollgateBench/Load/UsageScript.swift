/// Asks for the usage summaries of two account holders in turn, so that both meet the same moment.
struct UsageScript: LoadScript {
  static let kinds = ["empty", "full"]

  private struct Holder: Sendable {
    let request: [UInt8]
    let calls: Int
  }

  private let holders: [Holder]
  private var next = 0
  private var start: UInt64 = 0

  /// - Parameter fullCalls: the calls that the second one's summary must count.
  init(emptyKey: String, fullKey: String, fullCalls: Int) {
    holders = [(emptyKey, 0), (fullKey, fullCalls)].map { key, calls in
      let head = requestHead("projections/usage-summary", key: key)
      return Holder(request: head + Array("Content-Length: 2\r\n\r\n{}".utf8), calls: calls)
    }
  }

  let isAtRest = true

  mutating func writeRequest(to bytes: inout ByteWriter, now: UInt64) {
    bytes.write(holders[next].request)
    start = now
  }

  mutating func check(
    _ response: Response, now: UInt64, tally: inout Tally
  ) throws(WrongAnswer) {
    let calls = response.body.position(after: "\"total_calls\"", from: 0)
      .flatMap { response.body.number(after: ": ", from: $0) }
    guard response.status == 200, calls == holders[next].calls else {
      throw WrongAnswer("not the summary", response.body)
    }
    tally.latencies[next].record(nanoseconds: now - start)
    tally.operations += 1
    next = 1 - next
  }
}
