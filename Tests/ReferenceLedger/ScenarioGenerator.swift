/// Makes scenarios that are full of collisions: few accounts, few keys, amounts around what is
/// there, requests that come again, deadlines that pass. The same seed gives the same scenario.
public struct ScenarioGenerator {
  private enum Kind: CaseIterable {
    case reserve, charge, capture, release, extend, expire, grant
  }

  /// How often each kind comes.
  private static let kinds: [Kind] =
    Array(repeating: .reserve, count: 7) + Array(repeating: .capture, count: 7)
    + [.charge, .charge, .release, .release, .extend, .extend, .expire, .grant, .grant]

  private var random: SeededRandom
  /// What the commands so far have come to: it makes the next ones interesting.
  public private(set) var ledger = Scenario.beginning
  private var recent: [Kind: [ReferenceLedger.Command]] = [:]
  private var made: [ReferenceLedger.HoldID] = []
  private var count = 0

  public init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// A scenario of about so many commands.
  public static func scenario(seed: UInt64, commands: Int) -> Scenario {
    var generator = ScenarioGenerator(seed: seed)
    return generator.scenario(commands: commands)
  }

  public mutating func scenario(commands: Int) -> Scenario {
    var scenario = Scenario([])
    while count < commands {
      if chance(of: 4) {
        let seconds = Int64(pick([1, 5, 20, 40, 100, 310, 900]))
        ledger.advance(seconds: seconds)
        scenario.steps.append(.advance(seconds: seconds))
      }
      scenario.steps.append(.batch(batch()))
    }
    return scenario
  }

  private mutating func batch() -> [ReferenceLedger.Command] {
    let kind = pick(Self.kinds)
    // Small batches are the ones in which nothing is out of the ordinary.
    let size = kind == .expire ? 1 : number(in: 1...(chance(of: 2) ? 3 : 16))
    var commands = kind == .capture && chance(of: 2) ? commonCaptures(upTo: size) : []
    if commands.isEmpty {
      for _ in 0..<size { commands.append(command(kind, after: commands)) }
    }
    commands = Self.withDistinctGrants(commands)
    count += commands.count
    _ = ledger.apply(commands)
    recent[kind] = Array((recent[kind, default: []] + commands).suffix(40))
    return commands
  }

  /// A batch in which every hold is open, in time and named once.
  private mutating func commonCaptures(upTo size: Int) -> [ReferenceLedger.Command] {
    var open = made.filter { isOpen($0) && ledger.holds[$0]?.expiresAt ?? 0 > ledger.now }
    open.shuffle(using: &random)
    return open.prefix(size).map { .capture(capture(of: $0)) }
  }

  private func isOpen(_ id: ReferenceLedger.HoldID) -> Bool {
    ledger.holds[id]?.state == .reserved
  }

  /// Callers never send a key of a grant twice in one batch.
  private static func withDistinctGrants(
    _ commands: [ReferenceLedger.Command]
  ) -> [ReferenceLedger.Command] {
    var seen: Set<ReferenceLedger.HoldID> = []
    return commands.filter {
      guard case .grant(let grant) = $0 else { return true }
      return seen.insert(.init(grant.account, grant.key)).inserted
    }
  }

  /// Every sixth is one that came before, perhaps in the same batch.
  private mutating func command(
    _ kind: Kind, after batch: [ReferenceLedger.Command]
  ) -> ReferenceLedger.Command {
    if chance(of: 6), let again = pickOrNil(recent[kind, default: []] + batch) { return again }
    switch kind {
    case .reserve: return .reserve(reserve())
    case .charge: return .charge(reserve())
    case .capture: return .capture(capture(of: hold()))
    case .release: return .release(.init(hold(), key: actionKey()))
    case .extend: return .extend(extend())
    case .expire: return .expire((0..<number(in: 1...8)).map { _ in hold() })
    case .grant:
      let account = pick(Scenario.accounts)
      return .grant(.init(account, key("g"), grantAmount(account)))
    }
  }
}

extension ScenarioGenerator {
  private mutating func reserve() -> ReferenceLedger.Reserve {
    let account = pick(Scenario.accounts)
    let price = price(on: account)
    let prices: [ReferenceLedger.Price] =
      chance(of: 3)
      ? [.init("turn-taking", price / 3), .init("theoryofmind", price - price / 3)]
      : [.init("personas", price)]
    let id = ReferenceLedger.HoldID(account, key("r"))
    made = made.filter { $0 != id }.suffix(30) + [id]
    return .init(id, prices, ttlSeconds: pick([0, 20, 60, 600]))
  }

  /// Often small; else what is available, a little more or less, or what leaves a late capture
  /// just enough or one credit too little.
  private mutating func price(on account: ReferenceLedger.AccountID) -> Int64 {
    let available = ledger.accounts[account]?.available ?? 1_000
    switch number(in: 0...9) {
    case 0: return available
    case 1: return available + 1
    case 2: return max(0, available - 1)
    case 3: return 0
    case 4: return max(0, available - lateRest(on: account) + Int64(number(in: 0...1)))
    default: return Int64(number(in: 1...150))
    }
  }

  /// What a late capture of an expired hold would need.
  private func lateRest(on account: ReferenceLedger.AccountID) -> Int64 {
    let expired = made.last { $0.account == account && ledger.holds[$0]?.state == .expired }
    let lines = expired.flatMap { ledger.holds[$0]?.lines } ?? []
    return lines.reduce(0) { $0 + $1.rest }
  }

  private mutating func capture(of id: ReferenceLedger.HoldID) -> ReferenceLedger.Close {
    .init(
      id, credits: chance(of: 3) ? nil : credits(of: id, spread: 0...12),
      isFinal: !chance(of: 3), key: actionKey())
  }

  private mutating func extend() -> ReferenceLedger.Extend {
    let id = hold()
    return .init(
      id, credits: chance(of: 3) ? nil : credits(of: id, spread: 0...20),
      ttlSeconds: chance(of: 3) ? nil : pick([0, 30, 600]), key: actionKey())
  }

  /// So many tenths of what each line holds; some lines left out, rarely a component of others.
  private mutating func credits(
    of id: ReferenceLedger.HoldID, spread: ClosedRange<Int>
  ) -> [String: Int64] {
    var credits: [String: Int64] = [:]
    for line in ledger.holds[id]?.lines ?? [] where !chance(of: 5) {
      credits[line.component] = line.held * Int64(number(in: spread)) / 10
    }
    if chance(of: 25) { credits["social-memory"] = 1 }
    return credits
  }

  private mutating func grantAmount(_ account: ReferenceLedger.AccountID) -> Int64 {
    let available = ledger.accounts[account]?.available ?? 0
    return pick([-available, -available - 1, -50, 50, 300, 900, 1_500].filter { $0 != 0 })
  }

  private mutating func hold() -> ReferenceLedger.HoldID {
    let open = made.filter(isOpen)
    if !chance(of: 3), let id = pickOrNil(open) { return id }
    if !chance(of: 5), let id = pickOrNil(made) { return id }
    return .init(pick(Scenario.accounts), key("r"))
  }

  private mutating func actionKey() -> String? { chance(of: 3) ? key("k") : nil }

  /// One of a few keys; which ones they are moves on slowly.
  private mutating func key(_ prefix: String) -> String {
    "\(prefix)\(count / 12 + number(in: 0...5))"
  }

  private mutating func chance(of n: Int) -> Bool { number(in: 1...n) == 1 }

  private mutating func number(in range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &random)
  }

  private mutating func pick<T>(_ choices: [T]) -> T { choices[number(in: 0...choices.count - 1)] }

  private mutating func pickOrNil<T>(_ choices: [T]) -> T? {
    choices.randomElement(using: &random)
  }
}
