import Foundation
import ReferenceLedger
import TestSupport
import Tollgate

extension ReferenceLedger.Outcome {
  /// What an answer over HTTP says about a command; `nil` when it is none that the ledger gives.
  init?(_ answer: HTTPConnection.Answer, to command: ReferenceLedger.Command) {
    guard let json = try? JSON(parsing: answer.text.utf8) else { return nil }
    let outcome =
      answer.status == 200
      ? Self.done(json, command) : Self.refused(answer.status, json["error"] ?? .null, command)
    guard let outcome else { return nil }
    self = outcome
  }

  private static func done(_ json: JSON, _ command: ReferenceLedger.Command) -> Self? {
    switch command {
    case .reserve, .charge:
      .held(
        prices: json.array("lines").map { .init($0.text("component"), $0.number("credits")) },
        available: json.number("available"), expiresAt: json.instant("expires_at"))
    case .capture, .release: .closed(.init(json))
    case .extend:
      .extended(
        lines: json.array("lines").map {
          .init(
            component: $0.text("component"), captured: $0.number("captured"),
            held: $0.number("held"))
        }.sorted { $0.component < $1.component },
        available: json.number("available"), expiresAt: json.instant("expires_at"))
    case .grant:
      .granted(
        amount: json.number("granted"), balance: json.number("balance"),
        available: json.number("available"), entry: json.number("entry"))
    case .expire: nil
    }
  }

  private static func refused(
    _ status: Int, _ error: JSON, _ command: ReferenceLedger.Command
  ) -> Self? {
    let detail = error.array("details").first ?? .null
    switch (status, error.text("code")) {
    case (402, _):
      guard case .extend = command else {
        return .insufficient(available: detail.number("available"))
      }
      return .insufficientForMore(
        more: detail.number("required"), available: detail.number("available"))
    case (404, _): return .notFound
    case (409, "RESERVATION_CLOSED"):
      return .alreadyClosed(.init(rawValue: detail.text("state")) ?? .reserved)
    case (409, "RESERVATION_EXPIRED"): return .expired
    case (422, "IDEMPOTENCY_MISMATCH"): return .mismatch
    case (400, _): return .belowCaptured
    default: return nil
    }
  }

  /// As far as an answer tells it: to the millisecond, and of a charge no deadline.
  func asAnswered(to command: ReferenceLedger.Command) -> Self {
    switch self {
    case .held(let prices, let available, let expiresAt):
      if case .charge = command {
        return .held(prices: prices, available: available, expiresAt: 0)
      }
      return .held(prices: prices, available: available, expiresAt: expiresAt / 1_000 * 1_000)
    case .extended(let lines, let available, let expiresAt):
      return .extended(
        lines: lines.sorted { $0.component < $1.component }, available: available,
        expiresAt: expiresAt / 1_000 * 1_000)
    case .closed(let closing):
      return .closed(
        .init(
          state: closing.state, available: closing.available, isCapped: closing.isCapped,
          lines: closing.lines.sorted { $0.component < $1.component }))
    default: return self
    }
  }
}

extension ReferenceLedger.Closing {
  fileprivate init(_ json: JSON) {
    let lines = json.array("lines").map {
      Line(
        component: $0.text("component"), charged: $0.number("charged"),
        captured: $0.number("captured"), held: $0.number("held"))
    }
    self.init(
      state: .init(rawValue: json.text("state")) ?? .reserved,
      available: json.number("available"), isCapped: json["capped"] == .bool(true),
      lines: lines.sorted { $0.component < $1.component })
  }
}

/// What is missing is 0 or empty, and so differs from what is expected.
extension JSON {
  fileprivate func number(_ field: String) -> Int64 {
    if case .integer(let number)? = self[field] { number } else { 0 }
  }

  fileprivate func text(_ field: String) -> String {
    if case .string(let text)? = self[field] { text } else { "" }
  }

  fileprivate func array(_ field: String) -> [JSON] {
    if case .array(let elements)? = self[field] { elements } else { [] }
  }

  /// Microseconds since 2000-01-01 UTC.
  fileprivate func instant(_ field: String) -> Int64 {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    guard let date = try? style.parse(text(field)) else { return 0 }
    return Int64(((date.timeIntervalSince1970 - 946_684_800) * 1_000).rounded()) * 1_000
  }
}
