extension ReferenceLedger {
  /// An account by tenant and the tenant's own id.
  public struct AccountID: Sendable, Hashable {
    public let tenant: Int32
    public let name: String

    public init(tenant: Int32, name: String) {
      self.tenant = tenant
      self.name = name
    }
  }

  /// A reservation by the idempotency key it was made under.
  public struct HoldID: Sendable, Hashable {
    public let account: AccountID
    public let key: String

    public init(_ account: AccountID, _ key: String) {
      self.account = account
      self.key = key
    }
  }

  /// Credits of one component.
  public struct Price: Sendable, Hashable {
    public let component: String
    public let credits: Int64

    public init(_ component: String, _ credits: Int64) {
      self.component = component
      self.credits = credits
    }
  }

  public struct Reserve: Sendable, Hashable {
    public let hold: HoldID
    public let prices: [Price]
    public let ttlSeconds: Int32

    public init(_ hold: HoldID, _ prices: [Price], ttlSeconds: Int32 = 60) {
      self.hold = hold
      self.prices = prices
      self.ttlSeconds = ttlSeconds
    }
  }

  /// A capture or a release; a release has neither credits nor stages.
  public struct Close: Sendable, Hashable {
    public let hold: HoldID
    public let credits: [String: Int64]?
    public let isFinal: Bool
    public let key: String?

    public init(
      _ hold: HoldID, credits: [String: Int64]? = nil, isFinal: Bool = true, key: String? = nil
    ) {
      self.hold = hold
      self.credits = credits
      self.isFinal = isFinal
      self.key = key
    }
  }

  public struct Extend: Sendable, Hashable {
    public let hold: HoldID
    public let credits: [String: Int64]?
    public let ttlSeconds: Int32?
    public let key: String?

    public init(
      _ hold: HoldID, credits: [String: Int64]? = nil, ttlSeconds: Int32? = nil, key: String? = nil
    ) {
      self.hold = hold
      self.credits = credits
      self.ttlSeconds = ttlSeconds
      self.key = key
    }
  }

  /// A purchase, or an adjustment when it takes credits out.
  public struct Grant: Sendable, Hashable {
    public let account: AccountID
    public let key: String
    public let amount: Int64

    public init(_ account: AccountID, _ key: String, _ amount: Int64) {
      self.account = account
      self.key = key
      self.amount = amount
    }
  }

  public enum Command: Sendable, Hashable {
    case reserve(Reserve)
    case charge(Reserve)
    case capture(Close)
    case release(Close)
    case extend(Extend)
    case expire([HoldID])
    case grant(Grant)
  }
}

extension ReferenceLedger.Command {
  /// What tells a request from another one under the same key: all of it but the key.
  public var body: String {
    switch self {
    case .reserve(let command): "reserve \(Self.text(command))"
    case .charge(let command): "charge \(Self.text(command))"
    case .capture(let command):
      "capture \(command.hold.key) \(Self.text(command.credits)) \(command.isFinal)"
    case .release(let command): "release \(command.hold.key)"
    case .extend(let command):
      "extend \(command.hold.key) \(Self.text(command.credits)) \(command.ttlSeconds ?? -1)"
    case .expire: "expire"
    case .grant(let command): "grant \(command.amount)"
    }
  }

  private static func text(_ command: ReferenceLedger.Reserve) -> String {
    let prices = command.prices.map { "\($0.component)=\($0.credits)" }.joined(separator: ",")
    return "\(prices) \(command.ttlSeconds)"
  }

  private static func text(_ credits: [String: Int64]?) -> String {
    guard let credits else { return "all" }
    return credits.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: ",")
  }
}
