import Foundation
import Subprocess

/// The load generator as a process of its own, watched by a meter.
enum LoadProcess {
  static func run(
    _ options: [String], workers: [WorkerProcess], _ window: Window, postmaster: Int32
  ) async throws -> Observation {
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
  private static func observe(
    _ lines: some AsyncSequence<String, any Error>, _ meter: Meter
  ) async throws -> Observation? {
    var samples: [Meter.Sample] = []
    for try await line in lines {
      switch line.trimmingCharacters(in: .newlines) {
      case "begin", "end": samples.append(meter.sample())
      case let text where samples.count == 2:
        let report = try JSONDecoder.bench.decode(LoadReport.self, from: Data(text.utf8))
        return Observation(
          before: samples[0], after: samples[1], operations: report.operations,
          allOperations: report.allOperations, latencies: report.latencies)
      default: return nil
      }
    }
    return nil
  }
}
