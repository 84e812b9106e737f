import ArgumentParser
import Configuration
import Foundation
import Logging
import TollgateStore
import TollgateWorkers

/// Options that every command takes.
struct CommonOptions: ParsableArguments {
  @Option(help: "The database, postgresql://… (DATABASE_URL)")
  var database: String?

  @Option(help: "The folder with the SQL files (TOLLGATE_SQL)")
  var sql: String?

  @Option(help: "A JSON file with settings (TOLLGATE_CONFIG)")
  var config: String?

  @Option(help: "trace, debug, info, notice, warning or error (TOLLGATE_LOG_LEVEL)")
  var logLevel: String?
}

/// All settings: the option given, or else the environment variable, or else the file, or else the
/// default. The key `tollgate.port` is TOLLGATE_PORT in the environment and
/// `{"tollgate": {"port": …}}` in the file.
///
/// | key | type | default |
/// | --- | --- | --- |
/// | `database.url` | string | none: required |
/// | `tollgate.host` | string | `127.0.0.1` |
/// | `tollgate.port` | int | `8080` |
/// | `tollgate.lanes` | int, connections that write | the cores, at least 2 |
/// | `tollgate.readers` | int, connections that read | `2` |
/// | `tollgate.connections` | int, connections of clients at once | `4096` |
/// | `tollgate.stop.seconds` | int, seconds that a stop may take | `8` |
/// | `tollgate.verify.interval` | int, seconds between verifications, 0 for none | `3600` |
/// | `tollgate.sql` | string, the folder with the SQL files | `sql`, or beside the command |
/// | `tollgate.log.level` | string | `info` |
struct Settings: Sendable {
  private let reader: ConfigReader

  /// `numbers` are the options of one command.
  init(
    _ options: CommonOptions, host: String? = nil, _ numbers: [String: Int?] = [:]
  ) async throws {
    let texts = [
      "database.url": options.database, "tollgate.sql": options.sql,
      "tollgate.log.level": options.logLevel, "tollgate.host": host,
    ]
    let given = texts.compactMapValues { $0.map(ConfigContent.string) }
      .merging(numbers.compactMapValues { $0.map(ConfigContent.int) }) { first, _ in first }
    var providers: [any ConfigProvider] = [
      Self.provider(given), EnvironmentVariablesProvider(),
    ]
    let file = options.config ?? ProcessInfo.processInfo.environment["TOLLGATE_CONFIG"]
    if let file {
      providers.append(try await FileProvider<JSONSnapshot>(filePath: .init(file)))
    }
    reader = ConfigReader(providers: providers)
  }

  private static func provider(_ values: [String: ConfigContent]) -> InMemoryProvider {
    InMemoryProvider(
      values: Dictionary(
        uniqueKeysWithValues: values.map { key, value in
          (
            AbsoluteConfigKey(key.split(separator: ".").map(String.init)),
            ConfigValue(value, isSecret: key == "database.url")
          )
        }))
  }

  var databaseURL: String {
    get throws {
      if let url = reader.string(forKey: "database.url", isSecret: true) { return url }
      throw ValidationError("no database: give --database URL or set DATABASE_URL")
    }
  }

  /// The worker's settings; `databaseURL` nil for the one configured.
  func worker(databaseURL: String? = nil) throws -> Worker.Settings {
    var worker = Worker.Settings(databaseURL: try databaseURL ?? self.databaseURL)
    worker.host = reader.string(forKey: "tollgate.host", default: worker.host)
    worker.port = try integer("tollgate.port", 8_080, in: 0...65_535)
    worker.lanes = try integer("tollgate.lanes", worker.lanes, in: 1...256)
    worker.readers = try integer("tollgate.readers", worker.readers, in: 1...256)
    worker.door.connections = try integer(
      "tollgate.connections", worker.door.connections, in: 1...1_000_000)
    worker.stopSeconds = try integer("tollgate.stop.seconds", worker.stopSeconds, in: 1...3_600)
    worker.verification = try verification
    return worker
  }

  /// `nil` when it is turned off, or when there are no checks to run.
  private var verification: Verification? {
    get throws {
      let seconds = try integer("tollgate.verify.interval", 3_600, in: 0...86_400)
      if seconds == 0 { return nil }
      do {
        return Verification(checks: try sqlFolder, interval: .seconds(seconds))
      } catch {
        logger.warning("this worker does not verify", metadata: ["error": "\(error)"])
        return nil
      }
    }
  }

  var sqlFolder: SQLFolder {
    get throws { try SQLFolder(reader.string(forKey: "tollgate.sql")) }
  }

  var logger: Logger {
    var logger = Logger(label: "tollgate", factory: { StreamLogHandler.standardError(label: $0) })
    let level = reader.string(forKey: "tollgate.log.level", default: "info")
    logger.logLevel = Logger.Level(rawValue: level) ?? .info
    return logger
  }

  private func integer(_ key: String, _ fallback: Int, in range: ClosedRange<Int>) throws -> Int {
    let value = reader.int(forKey: ConfigKey(stringLiteral: key))
    if value == nil, reader.string(forKey: ConfigKey(stringLiteral: key)) == nil { return fallback }
    guard let value, range.contains(value) else {
      throw ValidationError("\(key) must be from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }
}
