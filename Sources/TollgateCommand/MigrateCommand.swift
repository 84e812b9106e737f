import ArgumentParser
import TollgateStore

struct MigrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate",
    abstract: "Bring the database to the state of the SQL files; safe to repeat.")

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let settings = try await Settings(common)
    let applied = try await Migrator(
      url: try settings.databaseURL, folder: try settings.sqlFolder, logger: settings.logger
    ).run()
    for name in applied { print("applied \(name)") }
    print("the database is up to date")
  }
}
