import Postgres

extension Connection {
  private static let usageSummary = Statement(
    name: "usage_summary", sql: "SELECT tollgate.usage_summary($1, $2)::text")

  /// `tollgate.usage_summary`: the summary as JSON text, complete as clients get it.
  public func usageSummary(
    of account: AccountReference, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> String {
    let rows = try execute(
      Self.usageSummary, [.value(account.tenant), .value(account.id)], until: deadline
    ) { (row) throws(PostgresError) in try row.next(String.self) }
    return rows.first ?? "null"
  }
}
