import Foundation
import Postgres
import Tollgate

/// One action on the ledger, as a lane carries it.
public enum Command: Sendable {
  case reserve(ReserveCommand)
  case charge(ReserveCommand)
  case capture(CloseCommand)
  case release(CloseCommand)
  case extend(ExtendCommand)
  case grant(GrantCommand)
}

/// What became of a command.
public enum Outcome: Sendable, Equatable {
  case reserve(ReserveOutcome)
  case close(CloseOutcome)
  case extend(ExtendOutcome)
  case grant(GrantOutcome)
}

extension Outcome {
  /// Whether nothing was decided, since somebody else has the account.
  var isLocked: Bool {
    switch self {
    case .reserve(.locked), .close(.locked), .extend(.locked), .grant(.locked): true
    default: false
    }
  }
}

extension Command {
  public enum Kind: Sendable, Hashable {
    case reserve, charge, capture, release, extend, grant
  }

  public var kind: Kind {
    switch self {
    case .reserve: .reserve
    case .charge: .charge
    case .capture: .capture
    case .release: .release
    case .extend: .extend
    case .grant: .grant
    }
  }

  public var account: Int64 {
    switch self {
    case .reserve(let command), .charge(let command): command.account.id
    case .capture(let command), .release(let command): command.reservation.account
    case .extend(let command): command.reservation.account
    case .grant(let command): command.account.id
    }
  }

  /// Equal for commands about one reservation, by whatever key of it, or about one grant.
  public var subject: UUID {
    switch self {
    case .reserve(let command), .charge(let command): ReservationKey.withoutWeek(command.key)
    case .capture(let command), .release(let command):
      ReservationKey.withoutWeek(command.reservation.key)
    case .extend(let command): ReservationKey.withoutWeek(command.reservation.key)
    case .grant(let command): command.key
    }
  }
}

extension Connection {
  /// Runs commands of one kind in one transaction; one outcome each, in their order.
  public func run(
    _ commands: [Command], until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> [Outcome] {
    guard let kind = commands.first?.kind else { return [] }
    switch kind {
    case .reserve, .charge:
      let reserves = commands.compactMap(\.reserve)
      return try reserve(reserves, charging: kind == .charge, until: deadline)
        .map { .reserve($0) }
    case .capture:
      return try capture(commands.compactMap(\.close), until: deadline).map { .close($0) }
    case .release:
      return try release(commands.compactMap(\.close), until: deadline).map { .close($0) }
    case .extend:
      return try extend(commands.compactMap(\.extend), until: deadline).map { .extend($0) }
    case .grant:
      return try grant(commands.compactMap(\.grant), until: deadline).map { .grant($0) }
    }
  }
}

extension Command {
  fileprivate var reserve: ReserveCommand? {
    switch self {
    case .reserve(let command), .charge(let command): command
    default: nil
    }
  }

  fileprivate var close: CloseCommand? {
    switch self {
    case .capture(let command), .release(let command): command
    default: nil
    }
  }

  fileprivate var extend: ExtendCommand? {
    if case .extend(let command) = self { command } else { nil }
  }

  fileprivate var grant: GrantCommand? {
    if case .grant(let command) = self { command } else { nil }
  }
}
