import Foundation
import ReferenceLedger

/// How long the chaos lasts and what it is made of, from the environment.
struct ChaosSettings: Sendable {
  static let clients = 40
  /// At a time. After so many requests a client goes on to new ones, so that also a busy account's
  /// history can be replayed.
  static let accounts = 300
  static let requestsPerGeneration = 400
  static let allowance: Int64 = 1_000
  static let graceSeconds: Int64 = 2

  /// A round is so long that its history can be kept, and its accounts be replayed.
  private static let longestRound = 180

  private(set) var seconds: Int
  private(set) var seed: UInt64
  let faultsPerMinute: Int

  init(_ environment: [String: String] = ProcessInfo.processInfo.environment) {
    seconds = environment["TOLLGATE_CHAOS_SECONDS"].flatMap { Int($0) } ?? 60
    seed =
      environment["TOLLGATE_CHAOS_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...999_999_999)
    faultsPerMinute = environment["TOLLGATE_CHAOS_FAULTS"].flatMap { Int($0) } ?? 45
  }

  /// One of the rounds that the time is made of.
  func round(_ number: UInt64) -> ChaosSettings {
    var round = self
    round.seconds = min(seconds, Self.longestRound)
    round.seed &+= number
    return round
  }

  /// What a run of this length must have done, or it has proved nothing.
  var leastOperations: Int { 10_000 * seconds / 180 }
  var leastFaults: Int { min(30, faultsPerMinute * 2 / 3) * seconds / 60 }
}

/// What is made to go wrong.
enum ChaosFault: String, Sendable, CaseIterable {
  case workerKilled, workerStopped, workerTerminated
  case databaseKilled, databaseAborted, backendKilled, backendTerminated, backendCancelled
  case diskFull, clockStepped
  case clientLinksCut, databaseLinksCut, databaseLinksStalled

  /// Faults of one group come one after the other; those of different ones meet.
  enum Group: UInt64, Sendable, CaseIterable {
    case workers, database, links

    /// As often as they stand here.
    var faults: [ChaosFault] {
      switch self {
      case .workers: [.workerKilled, .workerStopped, .workerTerminated]
      case .database:
        [
          .databaseKilled, .databaseAborted, .backendKilled, .diskFull, .clockStepped,
          .backendTerminated, .backendTerminated, .backendCancelled, .backendCancelled,
        ]
      case .links: [.clientLinksCut, .databaseLinksCut, .databaseLinksStalled]
      }
    }
  }

  /// Whether nobody gets an answer until the database has recovered.
  var crashesDatabase: Bool {
    [.databaseKilled, .databaseAborted, .backendKilled].contains(self)
  }
}

/// When which faults of a group come. The same seed gives the same plan.
struct ChaosPlan: Sendable {
  struct Step: Sendable {
    /// Since the start.
    let at: Duration
    let fault: ChaosFault
  }

  let steps: [Step]

  /// Every kind comes before one comes again; the groups share the rate.
  init(_ group: ChaosFault.Group, _ settings: ChaosSettings) {
    var random = SeededRandom(seed: settings.seed &+ group.rawValue &* 7_919)
    let pause = 60_000 * ChaosFault.Group.allCases.count / max(1, settings.faultsPerMinute)
    var steps: [Step] = []
    var deck: [ChaosFault] = []
    var at = 1_000
    while at < settings.seconds * 1_000 - 1_000 {
      if deck.isEmpty { deck = group.faults.shuffled(using: &random) }
      steps.append(Step(at: .milliseconds(at), fault: deck.removeLast()))
      at += pause / 2 + Int.random(in: 0...pause, using: &random)
    }
    self.steps = steps
  }
}

/// Accounts by rank: a few have most of the calls.
struct ZipfAccounts: Sendable {
  private let cumulative: [Double]

  init(count: Int) {
    var sum = 0.0
    cumulative = (1...count).map { rank in
      sum += pow(Double(rank), -0.9)
      return sum
    }
  }

  func pick(using random: inout SeededRandom) -> Int {
    let point = Double.random(in: 0..<(cumulative.last ?? 1), using: &random)
    var (low, high) = (0, cumulative.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] > point { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
