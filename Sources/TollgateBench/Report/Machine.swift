import Foundation

/// What the figures were measured on.
struct Machine: Codable, Sendable {
  let processor: String
  let cores: Int
  let memoryGigabytes: Double
  let kernel: String
  let postgres: String
  let postgresSettings: [String: String]

  private static let settings = [
    "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "shared_buffers",
    "max_wal_size", "checkpoint_timeout", "wal_compression", "autovacuum", "max_connections",
  ]

  /// Whether a commit survives a crash of the machine.
  var isDurable: Bool {
    ["fsync", "synchronous_commit", "full_page_writes"].allSatisfy { postgresSettings[$0] == "on" }
  }
}

extension Machine {
  init(_ server: BenchServer) async throws {
    let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let model = information.split(separator: "\n").first { $0.hasPrefix("model name") }
    processor =
      model?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces) ?? "unknown"
    cores = ProcessInfo.processInfo.activeProcessorCount
    memoryGigabytes = Double(ProcessInfo.processInfo.physicalMemory) / Double(1 << 30)
    kernel =
      (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8))?
      .trimmingCharacters(in: .newlines) ?? "unknown"
    postgres = try await server.query("SHOW server_version", as: String.self).first ?? "unknown"
    var values: [String: String] = [:]
    for name in Self.settings {
      values[name] = try await server.query("SHOW \(name)", as: String.self).first
    }
    postgresSettings = values
  }
}
