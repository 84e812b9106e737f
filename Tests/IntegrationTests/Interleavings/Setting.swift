import ReferenceLedger

/// What was before two calls meet: an account with 2,000 credits and an open hold of 600, 50 of
/// them captured by a keyed stage; or an account that does not exist yet. Of the rest, 1,000 are
/// held otherwise: what is freed twice must not be stopped by there being nothing left to free.
struct Setting: Sendable {
  typealias Command = ReferenceLedger.Command

  static let account = ReferenceLedger.AccountID(tenant: 1, name: "a")
  static let hold = ReferenceLedger.HoldID(account, "hold")
  static let reserve = Command.reserve(
    .init(hold, [.init("turn-taking", 400), .init("theoryofmind", 200)]))
  static let stage = Command.capture(
    .init(hold, credits: ["turn-taking": 50], isFinal: false, key: "stage"))

  private static let purchase = Command.grant(.init(account, "before", 1_000))
  private static let otherHold = Command.reserve(
    .init(.init(account, "before"), [.init("personas", 1_000)], ttlSeconds: 3_600))

  let commands: [Command]
  /// Seconds between the commands and the calls.
  let seconds: Int64

  var account: ReferenceLedger.AccountID { Self.account }
  var now: Int64 { Scenario.start + seconds }

  static let newAccount = Setting(commands: [], seconds: 0)

  static func openHold(isOverdue: Bool) -> Setting {
    Setting(commands: [purchase, otherHold, reserve, stage], seconds: isOverdue ? 61 : 1)
  }

  /// The reference ledger at the time of the calls.
  var model: ReferenceLedger {
    var model = ReferenceLedger(tenants: Scenario.tenants, now: Scenario.start)
    for command in commands { _ = model.apply(command) }
    model.advance(seconds: seconds)
    return model
  }
}

/// One of two calls that meet.
enum Meeting: CaseIterable {
  case reserve, charge, capture, stage, release, extend, expire, grant
  case repeatedReserve, repeatedStage

  /// How two calls differ from each other, and what they ask for.
  enum Variant: CaseIterable {
    /// Two calls of one kind are one request, sent twice.
    case repeated
    /// Two calls of one kind are two requests; each would fit alone.
    case distinct
    /// A reserve fits only after something has been given back.
    case large
  }

  private static let hold = Setting.hold

  func command(_ variant: Variant, isSecond: Bool) -> ReferenceLedger.Command {
    let isOther = isSecond && variant != .repeated
    switch self {
    case .reserve: return .reserve(Self.reserve(variant, isOther: isOther))
    case .charge: return .charge(Self.reserve(variant, isOther: isOther))
    case .capture:
      let credits: [String: Int64] = ["turn-taking": isOther ? 100 : 150, "theoryofmind": 50]
      return .capture(.init(Self.hold, credits: credits))
    case .stage:
      return .capture(
        .init(Self.hold, credits: ["theoryofmind": isOther ? 150 : 90], isFinal: false))
    case .release: return .release(.init(Self.hold, key: isOther ? "other" : nil))
    case .extend:
      return .extend(
        .init(
          Self.hold, credits: ["theoryofmind": isOther ? 100 : 500], ttlSeconds: 600,
          key: isOther ? "other" : "new"))
    case .expire: return .expire([Self.hold])
    case .grant:
      return .grant(
        .init(Setting.account, isOther ? "other" : "new", isOther ? -350 : 250))
    case .repeatedReserve: return Setting.reserve
    case .repeatedStage: return Setting.stage
    }
  }

  private static func reserve(_ variant: Variant, isOther: Bool) -> ReferenceLedger.Reserve {
    .init(
      .init(Setting.account, isOther ? "other" : "new"),
      [.init("personas", variant == .large ? 500 : 300)])
  }
}
