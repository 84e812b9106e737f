import ArgumentParser
import Foundation

extension Distribution: ExpressibleByArgument {}

/// The load generator by itself. The benchmark runs it as a process of its own, so that its CPU
/// time can be told from everybody else's.
struct LoadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load",
    abstract: "Reserve and capture over HTTP in closed loops; check every answer; print JSON.")

  @Option(help: "A worker's port on 127.0.0.1; give several to spread the connections.")
  var port: [Int]

  @Option(help: "A service key.")
  var key: String

  @Option var connections = 64
  @Option var threads = 1

  @Option(help: "Actions per request, by the batch route; without it one by one.")
  var batch: Int?

  @Option(help: "How many accounts there are, account-1 and so on.")
  var accounts = 100_000

  @Option var distribution = Distribution.spread
  @Option(help: "Not counted.") var warmUp = 1.0
  @Option(help: "Counted.") var seconds = 5.0
  @Option var pricebook = "docs/examples/pricebook.json"

  @Option(help: "Instead: usage summaries of two account keys, an empty account's first.")
  var usageKey: [String] = []

  @Option(help: "The calls that the second one's summary counts.")
  var usageCalls = 0

  @Flag(help: "Instead: prices of small bodies, on one connection of bodies of a MiB.")
  var quotes = false

  @Flag(help: "Also print `begin` and `end` of counting, and every second `tick` and the count.")
  var announce = false

  func validate() throws {
    guard connections > 0, threads > 0, threads <= connections, accounts > 0, seconds > 0,
      warmUp >= 0, (1...1_000).contains(batch ?? 1), [0, 2].contains(usageKey.count)
    else { throw ValidationError("an option is out of range") }
  }

  func run() throws {
    let runner = LoadRunner(
      ports: port, threads: threads, warmUp: warmUp, seconds: seconds
    ) { [announce] moment in
      if announce { printLine(Data(moment.announcement.utf8)) }
    }
    printLine(try JSONEncoder.bench.encode(try report(runner)))
  }

  private func report(_ runner: LoadRunner) throws -> LoadReport {
    if usageKey.count == 2 {
      let script = UsageScript(
        emptyKey: usageKey[0], fullKey: usageKey[1], fullCalls: usageCalls)
      return try runner.run(Array(repeating: script, count: connections))
    }
    if quotes {
      return try runner.run(
        (0..<connections).map { QuoteScript(key: key, isLarge: $0 == 0) })
    }
    let plan = CyclePlan(
      calls: try Call.all(bookAt: pricebook),
      sampler: AccountSampler(distribution, accounts: accounts), batch: batch, serviceKey: key)
    return try runner.run((0..<connections).map { plan.script(connection: $0) })
  }
}

extension LoadMoment {
  fileprivate var announcement: String {
    switch self {
    case .begin: "begin"
    case .tick(let operations): "tick \(operations)"
    case .end: "end"
    }
  }
}

/// Past the buffers of `print`, which a pipe would not see in time.
private func printLine(_ text: Data) {
  FileHandle.standardOutput.write(text + Data("\n".utf8))
}
