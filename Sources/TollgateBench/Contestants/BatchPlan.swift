import Foundation
import Postgres
import Tollgate
import TollgateStore

/// What a driver of the SQL functions sends: batches of commands for accounts of its own.
struct BatchPlan: Sendable {
  /// A call with everything ready that does not change from one to the next.
  private struct ReadyCall: Sendable {
    let call: Call
    let fingerprint: Fingerprint
  }

  let size: Int
  private let calls: [ReadyCall]
  private let accounts: [AccountReference]
  private let sampler: AccountSampler?
  private let priceBook: Int32
  /// Of `drivers`, this one serves the accounts that a lane of a worker would.
  private let driver: Int
  private let drivers: Int

  init(_ gate: Gate, size: Int, sampler: AccountSampler?, driver: Int = 0, of drivers: Int = 1) {
    self.size = size
    calls = gate.calls.map {
      ReadyCall(call: $0, fingerprint: Fingerprint($0.quantities, parts: "bench"))
    }
    accounts = gate.accounts
    self.sampler = sampler
    priceBook = gate.priceBook
    self.driver = driver
    self.drivers = drivers
  }

  /// For the calls of a batch, of accounts drawn at random.
  func reserves(_ random: inout SplitMix64) -> [ReserveCommand] {
    (0..<size).map { _ in reserve(drawAccount(&random), &random) }
  }

  func reserve(_ account: AccountReference, _ random: inout SplitMix64) -> ReserveCommand {
    let ready = calls[random.number(upTo: calls.count) - 1]
    return ReserveCommand(
      account: account, key: ReservationKey.random(), fingerprint: ready.fingerprint,
      quote: ready.call.quote,
      priceBookVersion: priceBook, ttlSeconds: 900, metadata: nil, service: "bench")
  }

  /// Captures all of a hold, or in half of the cases less.
  func capture(_ reserve: ReserveCommand, _ random: inout SplitMix64) -> CloseCommand {
    let price = reserve.quote.price
    let isLess = price > 1 && random.next() & 1 == 0
    return CloseCommand(
      tenant: reserve.account.tenant, reservation: reserve.reservationID, step: .closing(key: nil),
      fingerprint: reserve.fingerprint,
      credits: isLess
        ? [reserve.quote.lines[0].component: Int64(random.number(upTo: Int(price) - 1))] : nil,
      service: "bench")
  }

  private func drawAccount(_ random: inout SplitMix64) -> AccountReference {
    guard let sampler else { return accounts[0] }
    while true {
      let account = accounts[sampler.next(&random) - 1]
      let owner = Int(UInt64(bitPattern: account.id) % UInt64(drivers))
      // The one hot account is everybody's.
      if owner == driver || sampler.distribution == .hot { return account }
    }
  }
}

extension Connection {
  /// Charges one call to each account.
  func charge(
    _ plan: BatchPlan, _ accounts: some Collection<AccountReference>
  ) throws {
    var random = SplitMix64(seed: UInt64.random(in: 0...UInt64.max))
    let commands = accounts.map { plan.reserve($0, &random) }
    try check(reserve(commands, charging: true, until: .now + .seconds(60)), commands)
  }

  /// Reserves and captures batches until after the end of the schedule, and counts within it.
  func runCycles(_ plan: BatchPlan, _ schedule: LoadSchedule) throws -> (counted: Tally, all: Int) {
    var random = SplitMix64(seed: UInt64.random(in: 0...UInt64.max))
    var tally = Tally(kinds: 1)
    var all = 0
    while case let start = monotonicNow(), start < schedule.end + LoadSchedule.tail {
      try runCycle(plan, &random)
      let end = monotonicNow()
      all += plan.size
      guard end >= schedule.begin, end < schedule.end else { continue }
      tally.operations += plan.size
      tally.latencies[0].record(nanoseconds: end - start)
    }
    return (tally, all)
  }

  /// Reserves a batch and captures it.
  func runCycle(_ plan: BatchPlan, _ random: inout SplitMix64) throws {
    let reserves = plan.reserves(&random)
    try check(reserve(reserves, until: .now + .seconds(60)), reserves)
    let captures = reserves.map { plan.capture($0, &random) }
    let outcomes = try capture(captures, until: .now + .seconds(60))
    for (index, outcome) in outcomes.enumerated() {
      let charge = captures[index].credits?.values.first ?? reserves[index].quote.price
      guard case .done(let closing) = outcome, closing.state == "captured",
        closing.charged == charge, !closing.isCapped
      else { throw BenchFailure("not captured as asked: \(outcome)") }
    }
  }

  private func check(_ outcomes: [ReserveOutcome], _ commands: [ReserveCommand]) throws {
    for (outcome, command) in zip(outcomes, commands) {
      guard case .held(let hold) = outcome, hold.lines == command.quote.lines, hold.available >= 0
      else { throw BenchFailure("not held at the price: \(outcome)") }
    }
  }
}
