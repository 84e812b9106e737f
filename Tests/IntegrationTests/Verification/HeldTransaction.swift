import Foundation
import TestSupport

extension TestLedger {
  /// Runs `body` while a transaction of another session holds what `sql` took, for up to 15 s.
  func whileHolding<T>(_ sql: String, _ body: () async throws -> T) async throws -> T {
    let holder = "holder-\(UUID().uuidString.prefix(8))"
    let other = another()
    async let held: Void = other.execute(
      "SET application_name = '\(holder)'; BEGIN; \(sql); SELECT pg_sleep(15); ROLLBACK")
    let session = """
      SELECT a.pid FROM pg_stat_activity a
       WHERE a.application_name = '\(holder)' AND a.wait_event = 'PgSleep'
      """
    while try await query(session) == [] { try await Task.sleep(for: .milliseconds(5)) }
    let result = try await body()
    _ = try await query("SELECT pg_cancel_backend(pid) FROM (\(session)) s (pid)")
    try? await held
    await other.disconnect()
    return result
  }
}
