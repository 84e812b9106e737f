import ArgumentParser

/// The command `tollgate-bench`.
@main
struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tollgate-bench",
    abstract: "Measures Tollgate against the ledger that one would write first.",
    discussion: "docs/benchmark.md says what is measured and how.",
    subcommands: [RunCommand.self, LongCommand.self, LoadCommand.self])
}
