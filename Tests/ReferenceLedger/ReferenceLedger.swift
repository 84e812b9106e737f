/// The rules of the ledger in their plainest form: one command after the other on dictionaries.
/// What the SQL functions do in batches, side by side and in few statements must come out as here.
public struct ReferenceLedger: Sendable {
  public struct Tenant: Sendable {
    public let allowance: Int64
    public let graceSeconds: Int64

    public init(allowance: Int64, graceSeconds: Int64) {
      self.allowance = allowance
      self.graceSeconds = graceSeconds
    }
  }

  public struct Account: Sendable {
    public internal(set) var balance: Int64 = 0
    public internal(set) var reserved: Int64 = 0
    public internal(set) var creditLimit: Int64 = 0
    public internal(set) var hasAllowance = false
    public internal(set) var entries: [Entry] = []
    public internal(set) var usage: [UsageDay: Usage] = [:]
    var grants: [String: Answer] = [:]
    var actions: [ActionKey: Answer] = [:]

    public var available: Int64 { balance - reserved + creditLimit }
  }

  public struct Hold: Sendable {
    public internal(set) var state = State.reserved
    public internal(set) var lines: [HeldLine]
    public internal(set) var expiresAt: Int64
    let body: String
    let answer: Outcome
    /// The step that ended it.
    var closing: Closing?
    var closingBody: String?
  }

  /// A change of a balance. `source` is the key of a hold or a grant, `nil` for the allowance.
  public struct Entry: Sendable, Hashable {
    public let at: Int64
    public let amount: Int64
    public let balance: Int64
    public let source: String?
    /// The component charged; `nil` for credits put in.
    public let component: String?
    public let isCall: Bool
  }

  public struct UsageDay: Sendable, Hashable {
    public let day: Int64
    public let component: String
  }

  public struct Usage: Sendable, Hashable {
    public internal(set) var calls: Int64 = 0
    public internal(set) var credits: Int64 = 0
  }

  struct Answer {
    let body: String
    let outcome: Outcome
  }

  /// The actions on a reservation have keys of their own each.
  struct ActionKey: Hashable {
    enum Scope { case capture, release, extend }
    let scope: Scope
    let key: String
  }

  public static let secondsPerDay: Int64 = 86_400

  /// Seconds since 2000-01-01 UTC.
  public private(set) var now: Int64
  public internal(set) var accounts: [AccountID: Account] = [:]
  public internal(set) var holds: [HoldID: Hold] = [:]
  let tenants: [Int32: Tenant]

  public init(tenants: [Int32: Tenant], now: Int64) {
    self.tenants = tenants
    self.now = now
  }

  public mutating func advance(seconds: Int64) { now += seconds }

  /// Creates the account if need be.
  public mutating func setCreditLimit(_ limit: Int64, of account: AccountID) {
    accounts[account, default: Account()].creditLimit = limit
  }

  public mutating func apply(_ command: Command) -> Outcome {
    switch command {
    case .reserve(let reserve): hold(reserve, body: command.body).outcome
    case .charge(let reserve): charge(reserve, body: command.body)
    case .capture(let close): capture(close, body: command.body)
    case .release(let close): release(close, body: command.body)
    case .extend(let extend): self.extend(extend, body: command.body)
    case .expire(let ids): .ended(Int64(ids.count { expire($0) }))
    case .grant(let grant): self.grant(grant, body: command.body)
    }
  }

  func tenant(of account: AccountID) -> Tenant {
    tenants[account.tenant] ?? Tenant(allowance: 0, graceSeconds: 0)
  }

  mutating func post(
    _ amount: Int64, to account: AccountID, source: String?, component: String? = nil,
    isCall: Bool = false
  ) {
    accounts[account, default: Account()].post(
      amount, at: now, source: source, component: component, isCall: isCall)
  }
}

extension ReferenceLedger.Account {
  fileprivate mutating func post(
    _ amount: Int64, at now: Int64, source: String?, component: String?, isCall: Bool
  ) {
    balance += amount
    entries.append(
      ReferenceLedger.Entry(
        at: now, amount: amount, balance: balance, source: source, component: component,
        isCall: isCall))
    guard let component else { return }
    let day = ReferenceLedger.UsageDay(
      day: now / ReferenceLedger.secondsPerDay, component: component)
    usage[day, default: .init()].calls += isCall ? 1 : 0
    usage[day, default: .init()].credits -= amount
  }
}
