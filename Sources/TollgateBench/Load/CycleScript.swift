import Foundation
import Tollgate

/// What the cycles of all connections have in common.
struct CyclePlan: Sendable {
  let calls: [Call]
  let sampler: AccountSampler
  /// Actions in a request; `nil` sends each to its own route.
  let batch: Int?
  let serviceKey: String
  /// Makes the idempotency keys of this run unlike those of any other.
  let run = String(UInt32.random(in: 1...UInt32.max), radix: 16)

  func script(connection: Int) -> CycleScript { CycleScript(self, connection: connection) }
}

/// Reserves, then captures what was reserved, and so on: one action per request, or batches.
struct CycleScript: LoadScript {
  enum Kind: Int, CaseIterable {
    case reserve, capture, cycle
  }

  private enum Phase {
    case rest, reserving, capturing
  }

  /// One reservation on its way.
  private struct Item {
    let call: Int
    /// What the capture asks for, less than the hold; `nil` for all of it.
    let credits: Int64?
    /// Where its `res_…` begins in `reservations`.
    let reservation: Int
  }

  static let kinds = Kind.allCases.map { "\($0)" }
  private static let reservationLength = 52

  private let calls: [CallText]
  private let sampler: AccountSampler
  private let isBatch: Bool
  private let size: Int
  private let heads: Heads
  private let keyStart: [UInt8]

  private var random: SplitMix64
  private var phase = Phase.rest
  private var sequence = 0
  private var items: [Item] = []
  private var reservations: [UInt8] = []
  private var body = ByteWriter()
  private var cycleStart: UInt64 = 0
  private var requestStart: UInt64 = 0

  init(_ plan: CyclePlan, connection: Int) {
    calls = plan.calls.map { CallText($0) }
    sampler = plan.sampler
    isBatch = plan.batch != nil
    size = plan.batch ?? 1
    heads = Heads(key: plan.serviceKey)
    keyStart = Array("\(plan.run)-\(connection)-".utf8)
    random = SplitMix64(seed: UInt64.random(in: 0...UInt64.max))
  }

  var isAtRest: Bool { phase == .rest }

  mutating func writeRequest(to bytes: inout ByteWriter, now: UInt64) {
    requestStart = now
    body.clear()
    if phase == .rest {
      cycleStart = now
      items.removeAll(keepingCapacity: true)
      phase = .reserving
      isBatch ? writeBatch { $0.writeReserveElement() } : writeReserve()
    } else {
      phase = .capturing
      var next = 0
      isBatch ? writeBatch { $0.writeCaptureElement(&next) } : writeCapture(items[0])
    }
    writeHead(to: &bytes)
    bytes.write(body.bytes)
  }

  private func writeHead(to bytes: inout ByteWriter) {
    if isBatch {
      bytes.write(heads.batch)
    } else if phase == .reserving {
      bytes.write(heads.reserve)
      bytes.write("Idempotency-Key: ")
      bytes.write(keyStart)
      bytes.write(sequence)
      bytes.write("\r\n")
    } else {
      bytes.write(heads.capture)
    }
    bytes.write("Content-Length: ")
    bytes.write(body.bytes.count)
    bytes.write("\r\n\r\n")
  }
}

// MARK: - Bodies

extension CycleScript {
  private mutating func writeBatch(_ element: (inout CycleScript) -> Void) {
    body.write("{\"actions\":[")
    for index in 0..<size {
      if index > 0 { body.write(",") }
      element(&self)
    }
    body.write("]}")
  }

  private mutating func writeReserveElement() {
    body.write("{\"action\":\"reserve\",\"idempotency_key\":\"")
    body.write(keyStart)
    body.write(sequence + 1)
    body.write("\",\"body\":")
    writeReserve()
    body.write("}")
  }

  private mutating func writeReserve() {
    sequence += 1
    let call = random.number(upTo: calls.count) - 1
    body.write("{\"account_id\":\"account-")
    body.write(sampler.next(&random))
    body.write("\",")
    body.write(calls[call].reserveFields)
    body.write("}")
    let reservation = items.count * Self.reservationLength
    items.append(Item(call: call, credits: lowerCharge(call), reservation: reservation))
  }

  /// In half of the cases less was done than was held.
  private mutating func lowerCharge(_ call: Int) -> Int64? {
    let price = calls[call].price
    guard price > 1, random.next() & 1 == 0 else { return nil }
    return Int64(random.number(upTo: Int(price) - 1))
  }

  private mutating func writeCaptureElement(_ next: inout Int) {
    body.write("{\"action\":\"capture\",\"body\":")
    writeCapture(items[next])
    body.write("}")
    next += 1
  }

  private mutating func writeCapture(_ item: Item) {
    body.write("{\"reservation_id\":\"")
    body.write(reservations[item.reservation..<item.reservation + Self.reservationLength])
    body.write("\"")
    if let credits = item.credits {
      body.write(",\"credits\":{")
      body.write(calls[item.call].componentField)
      body.write(Int(credits))
      body.write("}")
    }
    body.write("}")
  }
}

// MARK: - Answers

extension CycleScript {
  mutating func check(
    _ response: Response, now: UInt64, tally: inout Tally
  ) throws(WrongAnswer) {
    guard response.status == 200 else { throw WrongAnswer("not 200", response.body) }
    if phase == .reserving {
      try readReservations(response.body)
      tally.latencies[Kind.reserve.rawValue].record(nanoseconds: now - requestStart)
      phase = .capturing
    } else {
      try checkCaptures(response.body)
      tally.latencies[Kind.capture.rawValue].record(nanoseconds: now - requestStart)
      tally.latencies[Kind.cycle.rawValue].record(nanoseconds: now - cycleStart)
      tally.operations += size
      phase = .rest
    }
  }

  private mutating func readReservations(_ body: UnsafeRawBufferPointer) throws(WrongAnswer) {
    reservations.removeAll(keepingCapacity: true)
    var position = 0
    for item in items {
      try checkStatus(body, &position)
      guard let start = body.position(after: "\"reservation_id\":\"", from: position),
        case let end = start + Self.reservationLength, end < body.count,
        body.number(after: "\"price\":", from: end) == Int(calls[item.call].price)
      else { throw WrongAnswer("not reserved at the price", body) }
      reservations.append(contentsOf: body[start..<end])
      position = end
    }
  }

  private func checkCaptures(_ body: UnsafeRawBufferPointer) throws(WrongAnswer) {
    var position = 0
    for item in items {
      try checkStatus(body, &position)
      let charge = Int(item.credits ?? calls[item.call].price)
      guard let state = body.position(after: "\"state\":\"captured\"", from: position),
        body.number(after: "\"charged\":", from: state) == charge
      else { throw WrongAnswer("not captured as asked", body) }
      position = state
    }
  }

  /// In a batch every result has a status of its own.
  private func checkStatus(
    _ body: UnsafeRawBufferPointer, _ position: inout Int
  ) throws(WrongAnswer) {
    guard isBatch else { return }
    guard let start = body.position(after: "{\"status\":", from: position),
      body.number(at: start) == 200
    else { throw WrongAnswer("a result is not 200", body) }
    position = start
  }
}

// MARK: - Texts made ahead

/// The parts of the bodies that only depend on the call.
private struct CallText: Sendable {
  let price: Int64
  /// `"operation":"…","quantities":{…}`
  let reserveFields: [UInt8]
  /// `"personas":`
  let componentField: [UInt8]

  init(_ call: Call) {
    price = call.price
    reserveFields =
      Array("\"operation\":\"\(call.quote.operation)\",\"quantities\":".utf8)
      + call.quantities.canonicalBytes
    componentField = Array("\"\(call.component)\":".utf8)
  }
}

/// The heads up to where they depend on the request.
private struct Heads: Sendable {
  let reserve: [UInt8]
  let capture: [UInt8]
  let batch: [UInt8]

  init(key: String) {
    reserve = requestHead("actions/reserve", key: key)
    capture = requestHead("actions/capture", key: key)
    batch = requestHead("actions/batch", key: key)
  }
}

/// Up to the headers that depend on the request.
func requestHead(_ route: String, key: String) -> [UInt8] {
  Array(
    """
    POST /v1/credits/\(route) HTTP/1.1\r
    Host: 127.0.0.1\r
    Authorization: Bearer \(key)\r
    Content-Type: application/json\r

    """.utf8)
}
