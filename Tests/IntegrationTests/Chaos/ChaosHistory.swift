import ReferenceLedger
import Synchronization
import TestSupport

/// One sending of a request, and what came back.
struct ChaosAttempt: Sendable {
  let sent: ContinuousClock.Instant
  let answered: ContinuousClock.Instant
  /// `nil` when none came.
  let answer: HTTPConnection.Answer?

  /// With these a worker says that it could not do it, and did not.
  private static let codesOfNothing = ["UPSTREAM_ERROR", "OVERLOADED", "ACCOUNT_LOCKED"]

  var isDone: Bool { answer.map { $0.status == 200 } ?? false }

  var isRefused: Bool { answer.map { (400..<500).contains($0.status) } ?? false }

  /// Whether the answer promises that nothing happened.
  var leftNothing: Bool {
    guard let answer else { return false }
    return isRefused || Self.codesOfNothing.contains { answer.text.contains("\"\($0)\"") }
  }
}

extension HTTPConnection.Answer {
  /// What answers are counted by: the status, and for errors of the server their code.
  var countedAs: String {
    let codes = [
      "UPSTREAM_ERROR", "OVERLOADED", "ACCOUNT_LOCKED", "OUTCOME_UNKNOWN", "INTERNAL_ERROR",
    ]
    guard status >= 500 else { return "\(status)" }
    return "\(status) \(codes.first { text.contains($0) } ?? "other")"
  }
}

/// A request with all its sendings.
final class ChaosOperation: Sendable {
  let command: ReferenceLedger.Command
  /// Whether its key belongs to another request.
  let isImpostor: Bool
  private let log = Mutex<[ChaosAttempt]>([])

  init(_ command: ReferenceLedger.Command, isImpostor: Bool = false) {
    self.command = command
    self.isImpostor = isImpostor
  }

  var attempts: [ChaosAttempt] { log.withLock { $0 } }

  func record(_ attempt: ChaosAttempt) { log.withLock { $0.append(attempt) } }

  var isDone: Bool { attempts.contains { $0.isDone } }

  /// Whether it is known what became of it.
  var isDefinite: Bool { attempts.contains { $0.isDone || $0.isRefused } }

  var lastAnswerIsDefinite: Bool {
    attempts.last.map { $0.isDone || $0.isRefused } ?? false
  }

  /// A refusal is not the last word while an earlier sending may still land.
  var isInDoubt: Bool {
    !isDone && attempts.contains { !$0.leftNothing }
  }
}

/// All that the clients did.
final class ChaosHistory: Sendable {
  private let log = Mutex<[ChaosOperation]>([])

  var operations: [ChaosOperation] { log.withLock { $0 } }

  func begin(_ operation: ChaosOperation) { log.withLock { $0.append(operation) } }
}
