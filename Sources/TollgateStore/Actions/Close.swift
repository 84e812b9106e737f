import Foundation
import Postgres
import Tollgate

/// A capture or a release of one reservation.
public struct CloseCommand: Sendable {
  /// Whether the hold ends, and by what the command is known again when it comes twice. A lane
  /// sends a command again when its answer was lost, so there is none that is known by nothing.
  public enum Step: Sendable {
    /// It ends. The line keeps the fingerprint of what ended it, so a key of its own is not needed.
    case closing(key: UUID?)
    /// The rest stays held. The key is the caller's, or a random one.
    case stage(key: UUID)
  }

  public let tenant: TenantID
  public let reservation: ReservationID
  public let step: Step
  public let fingerprint: Fingerprint
  /// What to charge per component; a component left out is charged nothing. `nil`: all that is
  /// held. A release charges nothing and does not read it.
  public let credits: [String: Int64]?
  public let service: String

  public init(
    tenant: TenantID, reservation: ReservationID, step: Step, fingerprint: Fingerprint,
    credits: [String: Int64]? = nil, service: String
  ) {
    self.tenant = tenant
    self.reservation = reservation
    self.step = step
    self.fingerprint = fingerprint
    self.credits = credits
    self.service = service
  }

  var actionKey: UUID? {
    switch step {
    case .closing(let key): key
    case .stage(let key): key
    }
  }

  var isFinal: Bool {
    if case .closing = step { true } else { false }
  }
}

public enum CloseOutcome: Sendable, Equatable {
  /// Done now, or before by the same request; then all is what was answered first.
  case done(Closing)
  /// The idempotency key was used for another request.
  case mismatch
  case notFound
  /// Captured or released before, by another request.
  case closed(state: String)
  /// Ended at its deadline, and too late to be honoured or no longer covered by the balance.
  case expired
  /// `credits` names a component that the reservation does not have.
  case unknownComponent
  /// The account's books are broken; nothing was changed.
  case broken
  /// Somebody else has the account; nothing was decided.
  case locked
}

/// What a capture or release did.
public struct Closing: Sendable, Equatable {
  public struct Line: Sendable, Equatable {
    public let component: String
    /// By this step, and by all steps so far.
    public let charged: Int64
    public let captured: Int64
    public let held: Int64
  }

  /// Of the reservation, as it is stored.
  public let key: UUID
  public let state: String
  public let available: Int64
  /// More was asked than was still held on some line.
  public var isCapped: Bool
  public var lines: [Line]

  public var charged: Int64 { lines.reduce(0) { $0 + $1.charged } }
}

extension Connection {
  private static let capture = Statement(
    name: "capture", sql: "SELECT * FROM tollgate.capture($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
  private static let release = Statement(
    name: "release", sql: "SELECT * FROM tollgate.release($1, $2, $3, $4, $5, $6, $7, $8)")

  /// `tollgate.capture`: one transaction for all.
  public func capture(
    _ commands: [CloseCommand], until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> [CloseOutcome] {
    let parameters =
      addresses(commands) + [
        .array(commands.map { $0.credits.map { JSONB($0) } }),
        .array(commands.map(\.isFinal)),
        .array(commands.map(\.service)),
      ]
    return try close(Self.capture, parameters, count: commands.count, until: deadline)
  }

  /// `tollgate.release`: one transaction for all.
  public func release(
    _ commands: [CloseCommand], until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> [CloseOutcome] {
    let parameters = addresses(commands) + [.array(commands.map(\.service))]
    return try close(Self.release, parameters, count: commands.count, until: deadline)
  }

  private func addresses(_ commands: [CloseCommand]) -> [Parameter] {
    [
      .value(commands.first?.reservation.account),
      .array(commands.indices.map { Int32($0) }),
      .array(commands.map(\.tenant)),
      .array(commands.map(\.reservation.account)),
      .array(commands.map(\.reservation.key)),
      .array(commands.map(\.actionKey)),
      .array(commands.map(\.fingerprint.value)),
    ]
  }

  private func close(
    _ statement: Statement, _ parameters: [Parameter], count: Int,
    until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> [CloseOutcome] {
    let rows = try execute(statement, parameters, until: deadline) {
      (row) throws(PostgresError) in try CloseRow(&row)
    }
    return try collectOutcomes(rows, count: count, by: \.item) { (outcome, row) in
      row.merged(into: outcome)
    }
  }
}

private struct CloseRow: Sendable {
  let item: Int32
  let outcome: String
  let state: String?
  let line: Closing.Line?
  let isCapped: Bool
  let available: Int64?
  let key: UUID?

  init(_ row: inout Row) throws(PostgresError) {
    item = try row.next()
    outcome = try row.next()
    state = try row.optional()
    let component: String? = try row.optional()
    let charged: Int64? = try row.optional()
    let captured: Int64? = try row.optional()
    let held: Int64? = try row.optional()
    line =
      if let component, let captured, let held {
        Closing.Line(component: component, charged: charged ?? 0, captured: captured, held: held)
      } else {
        nil
      }
    isCapped = try row.optional() ?? false
    available = try row.optional()
    key = try row.optional()
  }

  func merged(into outcome: CloseOutcome?) -> CloseOutcome? {
    switch self.outcome {
    case "done", "replayed": return done(outcome)
    case "mismatch": return .mismatch
    case "not_found": return .notFound
    case "closed": return .closed(state: state ?? "closed")
    case "expired": return .expired
    case "unknown_component": return .unknownComponent
    case "broken": return .broken
    case "locked": return .locked
    default: return nil
    }
  }

  private func done(_ outcome: CloseOutcome?) -> CloseOutcome? {
    guard let key, let state, let available, let line else { return nil }
    var closing = Closing(
      key: key, state: state, available: available, isCapped: false, lines: [])
    if case .done(let earlier) = outcome { closing = earlier }
    closing.lines.append(line)
    closing.isCapped = closing.isCapped || isCapped
    return .done(closing)
  }
}
