/// Asks for prices, which no transaction is needed for, of small bodies or of one of a MiB: what
/// takes a worker long shows in how long the others wait.
struct QuoteScript: LoadScript {
  static let kinds = ["small", "large"]

  private static let largeBytes = 1 << 20

  private let request: [UInt8]
  private let kind: Int
  private var start: UInt64 = 0

  init(key: String, isLarge: Bool) {
    let filling = isLarge ? String(repeating: "0,", count: Self.largeBytes / 2 - 100) + "0" : ""
    let body =
      #"{"operation": "personas.generate", "input": {"count": 2, "filling": [\#(filling)]}}"#
    let length = "Content-Length: \(body.utf8.count)\r\n\r\n"
    request = requestHead("actions/quote", key: key) + Array((length + body).utf8)
    kind = isLarge ? 1 : 0
  }

  let isAtRest = true

  mutating func writeRequest(to bytes: inout ByteWriter, now: UInt64) {
    bytes.write(request)
    start = now
  }

  mutating func check(
    _ response: Response, now: UInt64, tally: inout Tally
  ) throws(WrongAnswer) {
    guard response.status == 200 else { throw WrongAnswer("no price", response.body) }
    tally.latencies[kind].record(nanoseconds: now - start)
    if kind == 0 { tally.operations += 1 }
  }
}
