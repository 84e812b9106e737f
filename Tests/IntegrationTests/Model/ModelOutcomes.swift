import Postgres
import ReferenceLedger
import TollgateStore

extension ReserveOutcome {
  var inModel: ReferenceLedger.Outcome {
    switch self {
    case .held(let hold):
      .held(
        prices: hold.lines.map { .init($0.component, $0.credits) }, available: hold.available,
        expiresAt: hold.expiresAt.seconds)
    case .insufficient(let available): .insufficient(available: available)
    case .mismatch: .mismatch
    case .accountCollision: .notFound
    case .broken, .locked: .ended(-1)
    }
  }
}

extension CloseOutcome {
  var inModel: ReferenceLedger.Outcome {
    switch self {
    case .done(let closing): .closed(closing.inModel)
    case .mismatch: .mismatch
    case .notFound: .notFound
    case .closed(let state): .alreadyClosed(.init(state))
    case .expired: .expired
    case .unknownComponent: .unknownComponent
    case .broken, .locked: .ended(-1)
    }
  }
}

extension Closing {
  fileprivate var inModel: ReferenceLedger.Closing {
    .init(
      state: .init(state), available: available, isCapped: isCapped,
      lines: lines.map {
        .init(component: $0.component, charged: $0.charged, captured: $0.captured, held: $0.held)
      })
  }
}

extension ExtendOutcome {
  var inModel: ReferenceLedger.Outcome {
    switch self {
    case .done(let done):
      .extended(
        lines: done.lines.map {
          .init(component: $0.component, captured: $0.captured, held: $0.held)
        }, available: done.available, expiresAt: done.expiresAt.seconds)
    case .insufficient(let more, let available):
      .insufficientForMore(more: more, available: available)
    case .mismatch: .mismatch
    case .notFound: .notFound
    case .closed(let state): .alreadyClosed(.init(state))
    case .expired: .expired
    case .unknownComponent: .unknownComponent
    case .belowCaptured: .belowCaptured
    case .broken, .locked: .ended(-1)
    }
  }
}

extension GrantOutcome {
  var inModel: ReferenceLedger.Outcome {
    switch self {
    case .granted(let amount, let balance, let available, let entry):
      .granted(amount: amount, balance: balance, available: available, entry: entry)
    case .mismatch: .mismatch
    case .insufficient(let available): .insufficient(available: available)
    // The reference ledger has no limit, collisions or locks, so these equal nothing it answers.
    case .balanceLimit, .accountCollision, .broken, .locked: .ended(-1)
    }
  }
}

extension ReferenceLedger.State {
  /// An open hold is nobody's answer to "already closed": it equals nothing the model says.
  fileprivate init(_ text: String) { self = Self(rawValue: text) ?? .reserved }
}

extension Timestamp {
  /// Since 2000-01-01 UTC. The clock of these tests stands at whole seconds.
  fileprivate var seconds: Int64 { microseconds / 1_000_000 }
}
