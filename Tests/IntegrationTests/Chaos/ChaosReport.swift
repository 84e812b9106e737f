import Foundation
import ReferenceLedger
import TestSupport

/// What a run did, as `.tollgate/torture.json` has it.
struct ChaosReport: Encodable, Sendable {
  /// In milliseconds.
  struct Recovery: Encodable, Sendable {
    let count: Int
    let median: Int
    let longest: Int

    init(_ times: [Duration]) {
      let sorted = times.sorted()
      count = sorted.count
      median = sorted.isEmpty ? 0 : Int(sorted[sorted.count / 2] / .milliseconds(1))
      longest = Int((sorted.last ?? .zero) / .milliseconds(1))
    }
  }

  let seed: UInt64
  let seconds: Int
  /// Requests that differ, each sent once or more.
  let operations: Int
  let sendings: Int
  /// Of all sendings; `none` when no answer came.
  let answers: [String: Int]
  let successes: [String: Int]
  let faults: [String: Int]
  let skippedFaults: [String: Int]
  /// Requests with a sending whose outcome was unknown.
  let unknown: Int
  let resolved: Int
  let repeats: Int
  let effectsReplayed: Int
  let refusalsPlaced: Int
  /// From the death of a worker until it serves again.
  let workerRecovery: Recovery
  /// From a crash of the database to the end of the longest silence that begins within 3 s.
  let databaseRecovery: Recovery
  let violations: [String]
  private var recoveries: [Duration] = []

  private enum CodingKeys: CodingKey {
    case seed, seconds, operations, sendings, answers, successes, faults, skippedFaults, unknown
    case resolved, repeats, effectsReplayed, refusalsPlaced, workerRecovery, databaseRecovery
    case violations
  }

  init(_ run: ChaosRun, left: Int, repeats: Int, _ audit: ChaosAudit) {
    let all = run.history.operations
    let attempts = all.flatMap(\.attempts)
    (seed, seconds) = (run.settings.seed, run.settings.seconds)
    (operations, sendings) = (all.count, attempts.count)
    answers = Self.count(attempts.map { $0.answer?.countedAs ?? "none" })
    successes = Self.count(all.filter { $0.isDone && !$0.isImpostor }.map(\.command.kind))
    faults = Self.named(run.injector.counts)
    skippedFaults = Self.named(run.injector.skipped)
    unknown = all.count { $0.attempts.contains { !$0.isDone && !$0.leftNothing } }
    resolved = unknown - left
    self.repeats = repeats
    (effectsReplayed, refusalsPlaced) = (audit.effects, audit.observations)
    let silences = Self.silences(after: run.injector.crashes, attempts)
    workerRecovery = Recovery(run.injector.workerRecoveries)
    databaseRecovery = Recovery(silences)
    recoveries = run.injector.workerRecoveries + silences
    violations = Array(audit.violations.prefix(100))
  }

  private static func count(_ names: [String]) -> [String: Int] {
    Dictionary(names.map { ($0, 1) }, uniquingKeysWith: +)
  }

  private static func named(_ counts: [ChaosFault: Int]) -> [String: Int] {
    Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, $0.value) })
  }

  private static func silences(
    after crashes: [ChaosInjector.Crash], _ attempts: [ChaosAttempt]
  ) -> [Duration] {
    let times = attempts.filter(\.isDone).map(\.answered).sorted()
    return crashes.compactMap { crash in
      let near = zip(times, times.dropFirst()).filter {
        $1 > crash.at && $0 < crash.at + .seconds(3)
      }
      let longest = near.max { $0.0.duration(to: $0.1) < $1.0.duration(to: $1.1) }
      return longest.map { crash.at.duration(to: $0.1) }
    }
  }
}

extension ChaosReport {
  /// For the summary of `make torture`.
  var torture: TortureReport {
    var report = TortureReport(part: "chaos")
    (report.seed, report.operations) = (seed, operations)
    (report.faults, report.successes) = (faults, successes)
    report.recoverySeconds = recoveries.map { $0 / .seconds(1) }
    return report
  }

  /// Beside what `make run` leaves there.
  func write() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../.tollgate").standardized
    try FileManager.default.createDirectory(at: package, withIntermediateDirectories: true)
    try encoder.encode(self).write(to: package.appendingPathComponent("torture.json"))
  }

  var summary: String {
    """
    chaos, seed \(seed): \(operations) operations in \(seconds) s, sent \(sendings) times, \
    \(faults.values.reduce(0, +)) faults
      answers    \(Self.text(answers))
      successes  \(Self.text(successes))
      faults     \(Self.text(faults))
      skipped    \(Self.text(skippedFaults))
      unknown    \(unknown), resolved \(resolved)
      repeated   \(repeats); replayed \(effectsReplayed) effects, placed \(refusalsPlaced) others
      recovery   worker \(workerRecovery.median) ms, at most \(workerRecovery.longest); \
    database \(databaseRecovery.median) ms, at most \(databaseRecovery.longest)
      violations \(violations.count)
    """
  }

  private static func text(_ counts: [String: Int]) -> String {
    counts.isEmpty
      ? "none"
      : counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
  }
}
