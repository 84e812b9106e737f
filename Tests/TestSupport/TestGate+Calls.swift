import Testing
import Tollgate

/// The calls that many tests begin with; each is checked to have worked.
extension TestGate {
  /// Holds `count` personas at 85 credits and returns the reservation's id.
  public func hold(
    _ account: String = "a", count: Int = 1, ttlSeconds: Int = 900, key: String? = nil
  ) async throws -> String {
    let reply = try await post(
      "actions/reserve",
      """
      {"account_id": "\(account)", "operation": "personas.generate",
       "quantities": {"count": \(count)}, "ttl_seconds": \(ttlSeconds)}
      """, key: key)
    try #require(reply.status == 200, "\(reply.text)")
    return try #require(reply.string("reservation_id"))
  }

  /// Captures a reservation, with more fields if need be: `"final": false`.
  @discardableResult
  public func capture(_ id: String, _ more: String..., key: String? = nil) async throws -> TestReply
  {
    let fields = (["\"reservation_id\": \"\(id)\""] + more).joined(separator: ", ")
    return try await post("actions/capture", "{\(fields)}", key: key)
  }

  @discardableResult
  public func release(_ id: String, key: String? = nil) async throws -> TestReply {
    try await post("actions/release", #"{"reservation_id": "\#(id)"}"#, key: key)
  }

  @discardableResult
  public func grant(
    _ credits: Int64, to account: String = "a", key: String? = nil
  ) async throws -> TestReply {
    let reply = try await post(
      "actions/grant",
      #"{"account_id": "\#(account)", "credits": \#(credits), "reason": "test"}"#, as: .admin,
      key: key)
    try #require(reply.status == 200, "\(reply.text)")
    return reply
  }

  public func balance(of account: String = "a") async throws -> TestReply {
    try await post("projections/balance", #"{"account_id": "\#(account)"}"#)
  }

  public func reservation(_ id: String) async throws -> TestReply {
    try await get("repositories/Reservation/by-id/\(id)")
  }

  public func usageSummary(of account: String = "a") async throws -> JSON {
    let reply = try await post("projections/usage-summary", as: .holder(account))
    try #require(reply.status == 200, "\(reply.text)")
    return reply.json
  }
}

extension TestGate {
  /// Stops the ledger's clock at an instant, until it is set again.
  public func setClock(_ instant: String) async throws {
    try await execute(
      """
      CREATE OR REPLACE FUNCTION tollgate_data.clock() RETURNS timestamptz
      LANGUAGE sql VOLATILE AS $$ SELECT timestamptz '\(instant)' $$
      """)
  }

  /// Waits until the expiry duty has ended a reservation.
  public func expire(_ id: String) async throws {
    for _ in 0..<200 {
      if try await reservation(id).string("state") == "expired" { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("the reservation did not expire")
  }

  /// Drops every connection of the workers, as a restart of the database would.
  public func dropConnections() async throws {
    try await query(
      """
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()
      """)
    // So that the administration, which does not repeat what failed, connects again.
    _ = try? await administration.tenants()
  }

  /// The rows of every table of the ledger, counted: equal before and after what leaves no trace.
  public func rowCounts() async throws -> [String?] {
    let tables = [
      "accounts", "reservation_lines", "action_keys", "grants", "entries", "usage_days",
    ]
    let counts = tables.map { "SELECT '\($0) ' || count(*) FROM tollgate_data.\($0)" }
    return try await query(counts.joined(separator: " UNION ALL ") + " ORDER BY 1")
  }
}

extension TestReply {
  /// A header by its name in small letters.
  public func header(_ name: String) -> String? {
    headers.first { $0.name.canonicalName == name }?.value
  }

  /// `error.details[0]`
  public var detail: JSON? {
    if case .array(let details)? = json["error"]?["details"] { details.first } else { nil }
  }
}

extension JSON {
  /// What a test expects, as JSON text.
  public init(_ text: String) {
    self = (try? JSON(parsing: text.utf8)) ?? .string("not JSON: \(text)")
  }
}
