import Foundation
import Testing
import Tollgate

@testable import TollgateBench

@Suite struct CycleScriptTests {
  private static let reservation = "res_" + String(repeating: "0a", count: 24)

  /// What a request says, as a server would read it.
  private struct Request {
    let head: String
    let body: JSON

    init(_ bytes: [UInt8]) throws {
      let text = String(decoding: bytes, as: UTF8.self)
      let end = try #require(text.range(of: "\r\n\r\n"))
      head = String(text[..<end.lowerBound])
      let rest = text[end.upperBound...]
      #expect(head.hasSuffix("\r\nContent-Length: \(rest.utf8.count)"))
      body = try JSON(parsing: rest.utf8)
    }
  }

  private func script(batch: Int? = nil) throws -> (CycleScript, [Call]) {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../..").standardized.path
    let calls = try Call.all(bookAt: "\(root)/docs/examples/pricebook.json")
    let plan = CyclePlan(
      calls: [calls[0]], sampler: AccountSampler(.hot, accounts: 1), batch: batch,
      serviceKey: "sk_1")
    return (plan.script(connection: 3), calls)
  }

  private func next(_ script: inout CycleScript) throws -> Request {
    var bytes = ByteWriter()
    script.writeRequest(to: &bytes, now: 0)
    return try Request(bytes.bytes)
  }

  private func answer(
    _ script: inout CycleScript, _ body: String, _ tally: inout Tally
  ) throws {
    let text = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    try Array(text.utf8).withUnsafeBytes { bytes in
      let response = try #require(try Response(bytes))
      try script.check(response, now: 1_000, tally: &tally)
    }
  }

  private func held(_ price: Int64) -> String {
    "{\"reservation_id\":\"\(Self.reservation)\",\"price\":\(price)}"
  }

  private func captured(_ charged: JSON?, of price: Int64) -> String {
    let credits: Int64 =
      if case .object(let members)? = charged, case .integer(let value)? = members.values.first {
        value
      } else {
        price
      }
    return "{\"state\":\"captured\",\"charged\":\(credits)}"
  }

  @Test func reservesThenCapturesWhatWasReserved() throws {
    var (script, calls) = try script()
    var tally = Tally(kinds: CycleScript.kinds.count)
    for cycle in 1...5 {
      let reserve = try next(&script)
      #expect(reserve.head.hasPrefix("POST /v1/credits/actions/reserve HTTP/1.1\r\n"))
      #expect(reserve.head.contains("\r\nIdempotency-Key: "))
      #expect(reserve.body["account_id"] == .string("account-1"))
      #expect(reserve.body["operation"] == .string(calls[0].quote.operation))
      try answer(&script, held(calls[0].price), &tally)
      #expect(!script.isAtRest)

      let capture = try next(&script)
      #expect(capture.head.hasPrefix("POST /v1/credits/actions/capture HTTP/1.1\r\n"))
      #expect(capture.body["reservation_id"] == .string(Self.reservation))
      try answer(&script, captured(capture.body["credits"], of: calls[0].price), &tally)
      #expect(script.isAtRest)
      #expect(tally.operations == cycle)
      #expect(tally.latencies.map(\.count) == [cycle, cycle, cycle])
    }
  }

  @Test func neverRepeatsAKey() throws {
    var (script, calls) = try script()
    var tally = Tally(kinds: CycleScript.kinds.count)
    var keys: Set<String> = []
    for _ in 0..<20 {
      let head = try next(&script).head
      keys.insert(
        try #require(head.split(separator: "\r\n").first { $0.hasPrefix("Idem") }.map(String.init)))
      try answer(&script, held(calls[0].price), &tally)
      let capture = try next(&script)
      try answer(&script, captured(capture.body["credits"], of: calls[0].price), &tally)
    }
    #expect(keys.count == 20)
  }

  @Test func batchesCarryAllOfThem() throws {
    var (script, calls) = try script(batch: 3)
    var tally = Tally(kinds: CycleScript.kinds.count)
    let reserve = try next(&script)
    guard case .array(let actions)? = reserve.body["actions"] else {
      Issue.record("no actions")
      return
    }
    #expect(actions.count == 3)
    #expect(Set(actions.compactMap { $0["idempotency_key"] }).count == 3)
    let result = "{\"status\":200,\"body\":\(held(calls[0].price))}"
    try answer(&script, "{\"results\":[\(result),\(result),\(result)]}", &tally)
    guard case .array(let captures)? = try next(&script).body["actions"] else {
      Issue.record("no actions")
      return
    }
    let results = captures.map {
      "{\"status\":200,\"body\":\(captured($0["body"]?["credits"], of: calls[0].price))}"
    }
    try answer(&script, "{\"results\":[\(results.joined(separator: ","))]}", &tally)
    #expect(tally.operations == 3)
  }

  @Test func acceptsNoOtherPrice() throws {
    var (script, calls) = try script()
    var tally = Tally(kinds: CycleScript.kinds.count)
    _ = try next(&script)
    #expect(throws: WrongAnswer.self) {
      try answer(&script, held(calls[0].price + 1), &tally)
    }
  }

  @Test func acceptsNoOtherCharge() throws {
    var (script, calls) = try script()
    var tally = Tally(kinds: CycleScript.kinds.count)
    _ = try next(&script)
    try answer(&script, held(calls[0].price), &tally)
    _ = try next(&script)
    #expect(throws: WrongAnswer.self) {
      try answer(&script, "{\"state\":\"captured\",\"charged\":100000}", &tally)
    }
  }

  @Test func acceptsNoFailureInABatch() throws {
    var (script, calls) = try script(batch: 2)
    var tally = Tally(kinds: CycleScript.kinds.count)
    _ = try next(&script)
    let good = "{\"status\":200,\"body\":\(held(calls[0].price))}"
    #expect(throws: WrongAnswer.self) {
      try answer(
        &script, "{\"results\":[\(good),{\"status\":402,\"body\":{\"error\":{}}}]}", &tally)
    }
  }
}
