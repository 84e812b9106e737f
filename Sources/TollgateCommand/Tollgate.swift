import ArgumentParser

/// The command `tollgate`.
@main
struct TollgateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tollgate",
    abstract: "The prepaid gate for paid APIs.",
    discussion: """
      Options go before environment variables, and these before the configuration file. \
      docs/configuration.md lists them all.
      """,
    subcommands: [
      DevCommand.self, ServeCommand.self, MigrateCommand.self, TenantCommand.self,
      KeyCommand.self, PriceBookCommand.self, AccountCommand.self, VerifyCommand.self,
    ])
}
