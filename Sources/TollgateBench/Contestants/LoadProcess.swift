import Foundation
import Subprocess

/// The load generator as a process of its own, watched by a meter.
struct LoadProcess: Sendable {
  let options: [String]
  let workers: [WorkerProcess]
  let postmaster: Int32
  /// Is told once a second, with the operations counted so far and what the workers hold then.
  var onTick: (@Sendable (_ operations: Int, Meter.Sample) async throws -> Void)?

  func run(_ window: Window) async throws -> Observation {
    let arguments =
      ["load", "--announce", "--warm-up", "\(window.warmUp)", "--seconds", "\(window.seconds)"]
      + workers.flatMap { ["--port", "\($0.port)"] } + options
    let result = try await Subprocess.run(
      .path(.init(Programs.bench)), arguments: Arguments(arguments),
      input: .none, output: .sequence, error: .currentStandardError
    ) { execution in
      let meter = Meter(
        postmaster: postmaster, workers: workers.map(\.process),
        driver: execution.processIdentifier.value)
      return try await observe(execution.standardOutput.strings(), meter)
    }
    guard result.terminationStatus.isSuccess, let observation = result.closureResult else {
      throw BenchFailure("the load generator found a wrong answer")
    }
    return observation
  }

  /// Takes the samples when the generator says so, and the counts from its report.
  private func observe(
    _ lines: some AsyncSequence<String, any Error>, _ meter: Meter
  ) async throws -> Observation? {
    var samples: [Meter.Sample] = []
    for try await line in lines {
      let words = line.split { $0.isWhitespace }
      switch words.first {
      case "begin", "end":
        samples.append(meter.sample())
      case "tick":
        if let onTick, let count = words.last.flatMap({ Int($0) }) {
          try await onTick(count, meter.sample())
        }
      default:
        guard samples.count == 2 else { return nil }
        return try observation(samples[0], samples[1], report: Data(line.utf8))
      }
    }
    return nil
  }

  private func observation(
    _ before: Meter.Sample, _ after: Meter.Sample, report: Data
  ) throws -> Observation {
    let report = try JSONDecoder.bench.decode(LoadReport.self, from: report)
    return Observation(
      before: before, after: after, seconds: report.seconds, operations: report.operations,
      allOperations: report.allOperations, latencies: report.latencies)
  }
}
