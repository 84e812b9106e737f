import ArgumentParser

/// How long a cell runs.
struct Window: Sendable {
  /// Seconds that are not counted, and seconds that are.
  let warmUp: Double
  var seconds: Double

  func validate() throws {
    guard warmUp >= 0, (0.1...7_200).contains(seconds) else {
      throw ValidationError(
        "a cell is counted for 0.1 to 7200 seconds, and warmed up for 0 or more")
    }
  }

  /// Samples at its begin and its end, counted from now.
  func samples(_ meter: Meter) async throws -> (before: Meter.Sample, after: Meter.Sample) {
    try await Task.sleep(for: .seconds(warmUp))
    let before = meter.sample()
    try await Task.sleep(for: .seconds(seconds))
    return (before, meter.sample())
  }
}
