import ReferenceLedger
import Testing

/// The reference ledger itself, over a million commands: it is the measure of the SQL functions.
@Suite struct ReferenceLedgerTests {
  private static let commands = 1_000

  @Test(arguments: 0..<10)
  func neitherLosesNorDoublesCredits(slice: UInt64) {
    for seed in slice * 100..<(slice + 1) * 100 {
      var generator = ScenarioGenerator(seed: seed)
      _ = generator.scenario(commands: Self.commands)
      #expect(generator.ledger.violations == [], "seed \(seed)")
    }
  }

  @Test func everyOutcomeComes() {
    var seen: [String: Int] = [:]
    for seed in 0..<20 as Range<UInt64> {
      var ledger = Scenario.beginning
      for step in ScenarioGenerator.scenario(seed: seed, commands: Self.commands).steps {
        for outcome in ledger.apply(step) { seen[outcome.name, default: 0] += 1 }
      }
    }
    let names = [
      "held", "insufficient", "closed", "extended", "insufficientForMore", "granted", "ended",
      "mismatch", "notFound", "alreadyClosed", "expired", "unknownComponent", "belowCaptured",
    ]
    for name in names { #expect(seen[name, default: 0] >= 10, "\(name): \(seen)") }
  }

  /// A batch of commands that have nothing to do with each other is the same as one by one.
  @Test func aBatchIsItsCommandsOneByOne() {
    for seed in 0..<50 as Range<UInt64> {
      var (batched, single) = (Scenario.beginning, Scenario.beginning)
      for step in ScenarioGenerator.scenario(seed: seed, commands: 100).steps {
        guard case .batch(let commands) = step, let command = commands.first else { continue }
        #expect(batched.apply([command]) == [single.apply(command)])
      }
    }
  }

  @Test func shrinkingKeepsWhatMatters() async {
    let scenario = ScenarioGenerator.scenario(seed: 1, commands: 300)
    let shrunk = await scenario.shrunk { candidate in
      let commands = candidate.steps.flatMap { step -> [ReferenceLedger.Command] in
        if case .batch(let commands) = step { commands } else { [] }
      }
      return commands.contains { $0.body.hasPrefix("release") }
        && commands.contains { $0.body.hasPrefix("grant") }
    }
    #expect(shrunk.commandCount == 2)
    #expect(shrunk.steps.count == 2)
  }
}

extension ReferenceLedger.Outcome {
  /// The name of the case.
  fileprivate var name: String {
    Mirror(reflecting: self).children.first?.label ?? "\(self)"
  }
}
