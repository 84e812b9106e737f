import ReferenceLedger
import TestSupport

/// The keys of a tenant that the clients send.
struct ChaosKeys: Sendable {
  let service: String
  let admin: String
}

extension ReferenceLedger.Command {
  var verb: String {
    switch self {
    case .reserve: "reserve"
    case .charge: "charge"
    case .capture: "capture"
    case .release: "release"
    case .extend: "extend"
    case .expire: "expire"
    case .grant: "grant"
    }
  }

  /// What is counted as a kind of its own.
  var kind: String {
    if case .capture(let close) = self, !close.isFinal { return "partial capture" }
    return verb
  }

  var account: ReferenceLedger.AccountID? {
    switch self {
    case .reserve(let it), .charge(let it): it.hold.account
    case .capture(let it), .release(let it): it.hold.account
    case .extend(let it): it.hold.account
    case .expire(let holds): holds.first?.account
    case .grant(let it): it.account
    }
  }

  /// The idempotency key.
  var key: String {
    switch self {
    case .reserve(let it), .charge(let it): it.hold.key
    case .capture(let it), .release(let it): it.key ?? ""
    case .extend(let it): it.key ?? ""
    case .expire: ""
    case .grant(let it): it.key
    }
  }

  /// The command as a client sends it.
  func request(_ keys: ChaosKeys) -> HTTPConnection.Request {
    let bearer = if case .grant = self { keys.admin } else { keys.service }
    return .init(
      path: "/v1/credits/actions/\(verb)",
      headers: [("authorization", "Bearer \(bearer)"), ("idempotency-key", key)],
      body: "{\(fields.joined(separator: ","))}")
  }

  private var fields: [String] {
    switch self {
    case .reserve(let it), .charge(let it):
      [#""account_id":"\#(it.hold.account.name)""#, it.pricing, Self.ttl(it.ttlSeconds)]
    case .capture(let it):
      Self.name(it.hold) + Self.credits(it.credits) + [#""final":\#(it.isFinal)"#]
    case .release(let it): Self.name(it.hold)
    case .extend(let it):
      Self.name(it.hold) + Self.credits(it.credits)
        + (it.ttlSeconds.map { [Self.ttl($0)] } ?? [])
    case .expire: []
    case .grant(let it):
      [
        #""account_id":"\#(it.account.name)""#, #""credits":\#(it.amount)"#,
        #""reason":"chaos""#,
      ]
    }
  }

  private static func name(_ hold: ReferenceLedger.HoldID) -> [String] {
    [#""account_id":"\#(hold.account.name)""#, #""idempotency_key":"\#(hold.key)""#]
  }

  private static func credits(_ credits: [String: Int64]?) -> [String] {
    guard let credits else { return [] }
    let members = credits.sorted { $0.key < $1.key }.map { #""\#($0.key)":\#($0.value)"# }
    return [#""credits":{\#(members.joined(separator: ","))}"#]
  }

  private static func ttl(_ microseconds: Int32) -> String {
    #""ttl_seconds":\#(microseconds / 1_000_000)"#
  }
}

extension ReferenceLedger.Reserve {
  /// What the example price book prices like this.
  fileprivate var pricing: String {
    let credits = prices.first?.credits ?? 0
    return prices.count == 1
      ? #""operation":"personas.generate","quantities":{"count":\#(credits / 85)}"#
      : #""operation":"turn-taking.respond","quantities":{"chars":\#(credits * 2_000)}"#
  }
}
