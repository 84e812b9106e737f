import Foundation
import Subprocess

/// N and F: the naive ledger, driven by pgbench.
struct NaiveContestant: Sendable {
  enum Script: String, Sendable {
    /// A reserve and a settle, each a transaction that the client leads.
    case interactive
    /// The same two as one call each.
    case functions
    /// Only the reserve, as one call.
    case reserve
  }

  let ledger: NaiveLedger
  let script: Script
  let clients: Int
  let distribution: Distribution

  func run(_ window: Window, postmaster: Int32) async throws -> Observation {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("tollgate-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("script.sql")
    try (accountLine + NaiveLedger.text(of: script.rawValue))
      .write(to: file, atomically: true, encoding: .utf8)
    let samples = try await runPgbench(window, postmaster, script: file.path, logs: folder.path)
    return try observation(samples, try PgbenchLog(folder: folder))
  }

  private var accountLine: String {
    switch distribution {
    case .spread: return "\\set account random(1, \(ledger.accounts))\n"
    case .hot: return "\\set account 1\n"
    case .zipf:
      // ContinuousZipf; int() rounds.
      let zipf = ContinuousZipf(ranks: ledger.accounts)
      let power = (1 / (1 - ContinuousZipf.exponent)).rounded()
      return """
        \\set u random(0, 999999999)
        \\set x pow(\(zipf.low) + :u / 1000000000.0 * \(zipf.span), \(power))
        \\set account least(\(ledger.accounts), greatest(1, int(:x)))

        """
    }
  }

  private func runPgbench(
    _ window: Window, _ postmaster: Int32, script: String, logs: String
  ) async throws -> (before: Meter.Sample, after: Meter.Sample) {
    let server = ledger.server.postgres
    // It must outlast the window, and takes whole seconds only.
    let seconds = Int((window.warmUp + window.seconds + 0.3).rounded(.up))
    let result = try await Subprocess.run(
      .name("pgbench"),
      arguments: [
        "--no-vacuum", "--protocol=prepared", "--client=\(clients)",
        "--jobs=\(min(clients, 2))", "--time=\(seconds)", "--file=\(script)",
        "--define=n=0", "--define=run=\(UInt32.random(in: 1...999_999_999))",
        "--log", "--log-prefix=\(logs)/log",
        "--host=127.0.0.1", "--port=\(server.port)", "--username=postgres", NaiveLedger.database,
      ],
      environment: .inherit.updating(["PGPASSWORD": server.password]),
      input: .none, output: .sequence, error: .combinedWithOutput
    ) { execution in
      let meter = Meter(
        postmaster: postmaster, driver: execution.processIdentifier.value)
      let samples = try await window.samples(meter)
      var text = ""
      for try await line in execution.standardOutput.strings() { text += line }
      return (samples, text)
    }
    let (samples, text) = result.closureResult
    guard result.terminationStatus.isSuccess,
      text.contains("number of failed transactions: 0 ")
    else { throw BenchFailure("pgbench failed:\n\(text)") }
    return samples
  }

  private func observation(
    _ samples: (before: Meter.Sample, after: Meter.Sample), _ log: PgbenchLog
  ) throws -> Observation {
    let counted = log.count(
      from: samples.before.wallClock.timeIntervalSince1970,
      to: samples.after.wallClock.timeIntervalSince1970)
    return Observation(
      before: samples.before, after: samples.after,
      seconds: samples.after.wallClock.timeIntervalSince(samples.before.wallClock),
      operations: counted.count, allOperations: log.transactions.count,
      latencies: [script == .reserve ? "reserve" : "cycle": Latency(counted)])
  }
}
