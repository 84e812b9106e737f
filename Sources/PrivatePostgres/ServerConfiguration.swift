/// The whole `postgresql.conf` of a private server. It is written anew at every start.
struct ServerConfiguration: Sendable {
  let port: Int
  let durable: Bool
  /// The folder of the Unix socket, or nil for none.
  let socketFolder: String?
  let extra: [String: String]

  var text: String {
    let all = basics.merging(extra) { _, extra in extra }
    let lines = all.sorted { $0.key < $1.key }.map { "\($0.key) = \(Self.quoted($0.value))" }
    return "# Written at every start: changes are lost.\n" + lines.joined(separator: "\n") + "\n"
  }

  private var basics: [String: String] {
    let safety = durable ? "on" : "off"
    return [
      "listen_addresses": "127.0.0.1",
      "port": "\(port)",
      "unix_socket_directories": socketFolder ?? "",
      "password_encryption": "scram-sha-256",
      "max_connections": "200",
      "shared_buffers": "256MB",
      "deadlock_timeout": "200ms",
      "fsync": safety,
      "synchronous_commit": safety,
      "full_page_writes": safety,
      "timezone": "UTC",
      "log_timezone": "UTC",
      "lc_messages": "C",
      "log_min_messages": "warning",
      // Statements, parameters and the DETAIL of an error can hold the data of customers.
      "log_min_error_statement": "panic",
      "log_error_verbosity": "terse",
    ]
  }

  private static func quoted(_ value: String) -> String {
    let escaped = value.replacing("\\", with: "\\\\").replacing("'", with: "''")
    return "'\(escaped)'"
  }
}
