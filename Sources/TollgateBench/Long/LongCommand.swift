import ArgumentParser
import Logging

struct LongCommand: AsyncParsableCommand {
  enum Part: String, ExpressibleByArgument, CaseIterable {
    case history, accounts, steady
  }

  static let configuration = CommandConfiguration(
    commandName: "long", abstract: "Measure what needs long runs; about an hour and a half.")

  @OptionGroup var options: BenchOptions

  @Option(help: "How long a cell is counted.")
  var cellSeconds = 20.0

  @Option(
    help: """
      How long it runs before: after a checkpoint every page is logged whole at its first change, \
      and a large ledger has many.
      """)
  var warmUp = 20.0

  @Option(help: "How long the steady load runs.")
  var minutes = 30

  @Option(help: "Captured reservations to measure beside an empty ledger.")
  var history = 10_000_000

  @Option(help: "The largest number of accounts, a power of ten from 1,000 on.")
  var maxAccounts = 10_000_000

  @Option(help: "Only this part; may be given several times.")
  var part: [Part] = []

  func validate() throws {
    try Window(warmUp: warmUp, seconds: cellSeconds).validate()
    guard minutes > 0, history >= 10_000, maxAccounts >= 1_000 else {
      throw ValidationError("--minutes, --history or --max-accounts is too small")
    }
  }

  func run() async throws {
    let parts = part.isEmpty ? Part.allCases : part
    let run = LongRun(
      parts: parts, rounds: options.rounds,
      window: Window(warmUp: warmUp, seconds: cellSeconds), minutes: minutes,
      history: HistoryGrowth(target: history), accounts: AccountGrowth(largest: maxAccounts),
      logger: options.logger)
    try await options.withServer(
      "bench-long", goals: LongGoals.all(run.history), charts: run.charts, run.run(on:_:))
  }
}

/// The parts of `make bench-long`, one after the other.
private struct LongRun: Sendable {
  let parts: [LongCommand.Part]
  let rounds: Int
  let window: Window
  let minutes: Int
  let history: HistoryGrowth
  let accounts: AccountGrowth
  let logger: Logger

  func run(on server: BenchServer, _ journal: Journal) async throws {
    let conductor = Conductor(server: server, window: window, journal: journal)
    for part in parts {
      switch part {
      case .history: try await history.run(conductor, rounds: rounds, logger: logger)
      case .accounts: try await accounts.run(conductor, rounds: rounds, logger: logger)
      case .steady: try await SteadyLoad(minutes: minutes).run(conductor, logger: logger)
      }
    }
  }

  func charts(_ report: Report) -> ChartPage {
    ChartPage(
      charts: [history.chart(report.cells), accounts.chart(report.cells)]
        + (report.steady?.charts ?? []))
  }
}
