/// What happens to a few accounts: batches of one kind each, and time that passes between them.
public struct Scenario: Sendable {
  public enum Step: Sendable, Hashable {
    case advance(seconds: Int64)
    case batch([ReferenceLedger.Command])
  }

  public static let tenants: [Int32: ReferenceLedger.Tenant] = [
    1: .init(allowance: 1_000, graceSeconds: 300), 3: .init(allowance: 1_000, graceSeconds: 0),
  ]

  public static let accounts = tenants.keys.sorted().flatMap { tenant in
    ["a", "b"].map { ReferenceLedger.AccountID(tenant: tenant, name: $0) }
  }

  /// One account may go below zero, before anything else happened to it.
  public static let creditLimits: [ReferenceLedger.AccountID: Int64] = [
    .init(tenant: 1, name: "b"): 300
  ]

  /// Half an hour before midnight UTC.
  public static let start: Int64 = 9_000 * ReferenceLedger.secondsPerDay - 1_800

  /// The ledger in which every scenario begins.
  public static var beginning: ReferenceLedger {
    var ledger = ReferenceLedger(tenants: tenants, now: start)
    for (account, limit) in creditLimits { ledger.setCreditLimit(limit, of: account) }
    return ledger
  }

  public var steps: [Step]

  public init(_ steps: [Step]) { self.steps = steps }

  public var commandCount: Int { steps.reduce(0) { $0 + $1.commandCount } }
}

extension Scenario.Step {
  public var commandCount: Int {
    if case .batch(let commands) = self { commands.count } else { 0 }
  }
}

extension ReferenceLedger {
  /// The outcomes of its commands.
  public mutating func apply(_ step: Scenario.Step) -> [Outcome] {
    switch step {
    case .advance(let seconds):
      advance(seconds: seconds)
      return []
    case .batch(let commands): return apply(commands)
    }
  }
}

extension Scenario: CustomStringConvertible {
  public var description: String {
    let steps = steps.map { step in
      switch step {
      case .advance(let seconds): "+\(seconds) s"
      case .batch(let commands): commands.map { "\($0)" }.joined(separator: "\n  ")
      }
    }
    return Self.text(steps.joined(separator: "\n"))
  }

  /// Shorter by the names of the enclosing types, which stand before every type.
  public static func text(_ description: String) -> String {
    description.replacing("ReferenceLedger.", with: "")
  }
}
