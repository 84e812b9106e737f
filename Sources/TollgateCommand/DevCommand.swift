import ArgumentParser
import Foundation
import Logging
import PrivatePostgres
import TollgateStore
import TollgateWorkers

struct DevCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dev",
    abstract: "Run a worker with a PostgreSQL of its own and an example tenant, until Ctrl-C.")

  @OptionGroup var common: CommonOptions

  @Option(help: "The folder for the database and dev.json.")
  var data = ".tollgate"

  @Option(help: "The port to listen on, 0 for any (TOLLGATE_PORT)")
  var port: Int?

  func run() async throws {
    var common = common
    common.logLevel = common.logLevel ?? "warning"
    let settings = try await Settings(common, ["tollgate.port": port])
    let facts = URL(fileURLWithPath: data).appendingPathComponent("dev.json")
    try? FileManager.default.removeItem(at: facts)
    let server = try await PrivatePostgres.start(
      .init(folder: data + "/postgres"), logger: settings.logger)
    let result = await Result { try await serve(server, settings, facts) }
    try? FileManager.default.removeItem(at: facts)
    try await server.stop()
    try result.get()
  }

  private func serve(_ server: PrivatePostgres, _ settings: Settings, _ file: URL) async throws {
    let example = try await ExampleTenant(
      server: server, folder: data, sql: try settings.sqlFolder, logger: settings.logger)
    let worker = Worker(
      try settings.worker(databaseURL: example.databaseURL), logger: settings.logger)
    try await worker.run { port in
      let facts = DevFacts(example, url: "http://127.0.0.1:\(port)")
      facts.write(to: file)
      FileHandle.standardOutput.write(Data((facts.tour + "\n").utf8))
    }
  }
}

extension Result where Failure == any Error {
  fileprivate init(catching body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
