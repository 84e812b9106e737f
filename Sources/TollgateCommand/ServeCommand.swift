import ArgumentParser
import TollgateWorkers

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Run one worker on a migrated database.")

  @OptionGroup var common: CommonOptions

  @Option(help: "The address to listen on (TOLLGATE_HOST)")
  var host: String?

  @Option(help: "The port to listen on, 0 for any (TOLLGATE_PORT)")
  var port: Int?

  @Option(help: "Connections that write (TOLLGATE_LANES)")
  var lanes: Int?

  @Option(help: "Connections that read (TOLLGATE_READERS)")
  var readers: Int?

  func run() async throws {
    let settings = try await Settings(
      common, host: host,
      ["tollgate.port": port, "tollgate.lanes": lanes, "tollgate.readers": readers])
    let worker = Worker(try settings.worker(), logger: settings.logger)
    try await worker.run { port in
      let url = "http://\(worker.settings.host):\(port)"
      settings.logger.info("serving", metadata: ["url": "\(url)"])
    }
  }
}
