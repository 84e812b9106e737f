import ReferenceLedger
import Synchronization

/// What the clients know of each other's reservations and requests, so that they meet.
final class ChaosBoard: Sendable {
  private struct State {
    var open: [ReferenceLedger.Reserve] = []
    var closed: [ReferenceLedger.Reserve] = []
    var answered: [ChaosOperation] = []

    mutating func close(_ hold: ReferenceLedger.HoldID) {
      guard let index = open.firstIndex(where: { $0.hold == hold }) else { return }
      closed.append(open.remove(at: index))
    }
  }

  /// What is remembered of each.
  private static let limit = 300

  private let state = Mutex(State())

  /// Takes note of a request that was done.
  func note(_ operation: ChaosOperation) {
    state.withLock { state in
      switch operation.command {
      case .reserve(let reserve): state.open.append(reserve)
      case .release(let close): state.close(close.hold)
      case .capture(let close) where close.isFinal: state.close(close.hold)
      default: break
      }
      state.answered.append(operation)
      state.open = state.open.suffix(Self.limit)
      state.closed = state.closed.suffix(Self.limit)
      state.answered = state.answered.suffix(Self.limit)
    }
  }

  func openHold(_ random: inout SeededRandom) -> ReferenceLedger.Reserve? {
    state.withLock { $0.open }.randomElement(using: &random)
  }

  func closedHold(_ random: inout SeededRandom) -> ReferenceLedger.Reserve? {
    state.withLock { $0.closed }.randomElement(using: &random)
  }

  func answered(_ random: inout SeededRandom) -> ChaosOperation? {
    state.withLock { $0.answered }.randomElement(using: &random)
  }
}

/// What one client does next. Every action has a key, for the key tells what became of it.
struct ChaosWorkload {
  enum Step {
    case new(ReferenceLedger.Command)
    /// The very same request once more.
    case again(ChaosOperation)
    /// Another request under the key of one that was done.
    case impostor(ReferenceLedger.Command)
  }

  private let client: Int
  private let tenant: Int32
  private let board: ChaosBoard
  private let accounts = ZipfAccounts(count: ChaosSettings.accounts)
  private var random: SeededRandom
  private var count = 0

  init(client: Int, tenant: Int32, seed: UInt64, board: ChaosBoard) {
    self.client = client
    self.tenant = tenant
    self.board = board
    random = SeededRandom(seed: seed &+ UInt64(client) &* 104_729 &+ 1)
  }

  mutating func next() -> Step {
    let roll = number(in: 0...99)
    if roll < 5, let operation = board.answered(&random) { return .again(operation) }
    if roll < 7, let command = board.answered(&random).flatMap({ impostor(of: $0) }) {
      return .impostor(command)
    }
    return .new(command())
  }

  /// Whether the client gives up almost at once.
  mutating func givesUp() -> Bool { chance(of: 100) }

  mutating func pause(_ milliseconds: ClosedRange<Int>) -> Duration {
    .milliseconds(number(in: milliseconds))
  }

  private mutating func command() -> ReferenceLedger.Command {
    switch number(in: 0...99) {
    case 0...31: .reserve(reserve())
    case 32...45: .charge(reserve())
    case 46...69: hold().map { .capture(capture($0)) } ?? .reserve(reserve())
    case 70...78: hold().map { .release(.init($0.hold, key: key())) } ?? .reserve(reserve())
    case 79...88: hold().map { .extend(extend($0)) } ?? .reserve(reserve())
    default: .grant(.init(account(), key(), Int64(number(in: 1...900))))
    }
  }

  /// One in ten is closed already.
  private mutating func hold() -> ReferenceLedger.Reserve? {
    if chance(of: 10), let hold = board.closedHold(&random) { return hold }
    return board.openHold(&random)
  }

  private mutating func reserve() -> ReferenceLedger.Reserve {
    let prices: [ReferenceLedger.Price] =
      chance(of: 3)
      ? [.init("turn-taking", Int64(number(in: 1...60))), .init("theoryofmind", 4)]
      : [.init("personas", 85 * Int64(number(in: 1...4)))]
    return .init(.init(account(), key()), prices, ttlSeconds: ttl())
  }

  private mutating func capture(_ reserve: ReferenceLedger.Reserve) -> ReferenceLedger.Close {
    .init(
      reserve.hold, credits: chance(of: 2) ? nil : tenths(of: reserve, 0...13),
      isFinal: !chance(of: 3), key: key())
  }

  private mutating func extend(_ reserve: ReferenceLedger.Reserve) -> ReferenceLedger.Extend {
    let credits = chance(of: 2) ? tenths(of: reserve, 5...20) : nil
    return .init(
      reserve.hold, credits: credits, ttlSeconds: credits == nil || chance(of: 2) ? ttl() : nil,
      key: key())
  }

  private mutating func tenths(
    of reserve: ReferenceLedger.Reserve, _ range: ClosedRange<Int>
  ) -> [String: Int64] {
    var credits: [String: Int64] = [:]
    for price in reserve.prices {
      credits[price.component] = price.credits * Int64(number(in: range)) / 10
    }
    return credits
  }

  /// In the reference ledger's unit, which is a microsecond here.
  private mutating func ttl() -> Int32 { Int32(number(in: 1...5)) * 1_000_000 }

  private mutating func account() -> ReferenceLedger.AccountID {
    let generation = count / ChaosSettings.requestsPerGeneration
    return .init(tenant: tenant, name: "a\(generation)-\(accounts.pick(using: &random))")
  }

  private mutating func key() -> String {
    count += 1
    return "c\(client)-\(count)"
  }

  private mutating func chance(of n: Int) -> Bool { number(in: 1...n) == 1 }

  private mutating func number(in range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &random)
  }
}

extension ChaosWorkload {
  /// `nil` for a release, which has no other body.
  private func impostor(of operation: ChaosOperation) -> ReferenceLedger.Command? {
    switch operation.command {
    case .reserve(let it):
      .reserve(.init(it.hold, it.prices, ttlSeconds: it.ttlSeconds + 1_000_000))
    case .charge(let it): .charge(.init(it.hold, it.prices, ttlSeconds: it.ttlSeconds + 1_000_000))
    case .capture(let it):
      .capture(.init(it.hold, credits: it.credits, isFinal: !it.isFinal, key: it.key))
    case .extend(let it):
      .extend(.init(it.hold, credits: it.credits, ttlSeconds: 6_000_000, key: it.key))
    case .grant(let it): .grant(.init(it.account, it.key, it.amount + 1))
    case .release, .expire: nil
    }
  }
}
