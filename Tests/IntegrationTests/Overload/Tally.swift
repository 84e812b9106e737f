import Synchronization
import TestSupport
import Tollgate

/// What the clients of a crowd were told, and when.
final class Tally: Sendable {
  private struct State {
    var answers: [String: Int] = [:]
    var slowest = Duration.zero
    /// Charges by the second in which they were answered.
    var charges: [Int] = []
  }

  private let begin = ContinuousClock.now
  private let state = Mutex(State())

  /// By status and, of an error in the envelope, code.
  var answers: [String: Int] { state.withLock { $0.answers } }

  var slowest: Duration { state.withLock { $0.slowest } }

  var charged: Int { answers["200", default: 0] }

  func count(_ answer: HTTPConnection.Answer, after delay: Duration) {
    let name = answer.name
    let second = Int((.now - begin) / .seconds(1))
    state.withLock { state in
      state.answers[name, default: 0] += 1
      state.slowest = max(state.slowest, delay)
      while state.charges.count <= second { state.charges.append(0) }
      if answer.status == 200 { state.charges[second] += 1 }
    }
  }

  /// Charges in each of the next whole seconds, up to a number of them or to the first in which
  /// there are enough.
  func charges(seconds: Int, orUntil enough: Double = .infinity) async throws -> [Int] {
    var second = Int((.now - begin) / .seconds(1)) + 1
    var charges: [Int] = []
    while charges.count < seconds, Double(charges.last ?? 0) < enough {
      try await Task.sleep(until: begin + .seconds(second + 1), clock: .continuous)
      charges.append(state.withLock { $0.charges.dropFirst(second).first ?? 0 })
      second += 1
    }
    return charges
  }
}

extension HTTPConnection.Answer {
  fileprivate var name: String {
    guard status != 200, let json = try? JSON(parsing: text.utf8),
      case .string(let code)? = json["error"]?["code"]
    else { return "\(status)" }
    return "\(status) \(code)"
  }
}
