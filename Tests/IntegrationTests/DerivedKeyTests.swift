import Foundation
import TestSupport
import Testing
import TollgateStore

extension Integration {
  /// What is derived in SQL and in Swift is the same, so either may call the other's functions.
  @Suite struct DerivedKeyTests {
    private static let names = [
      "a", "A", "0", "-", ".", ":", "a:b", "1:a", "acct_01HZX", String(repeating: "x", count: 128),
    ]

    @Test func accountIDs() async throws {
      try await withLedger { ledger in
        for tenant in [1, 2, 12, Int32.max] {
          for name in Self.names {
            let sql = try await ledger.serviceQuery(
              "SELECT tollgate.account_id(\(tenant), '\(name)')")
            let id = AccountReference(tenant: tenant, name: name).id
            #expect(sql == [String(id)])
            #expect(id >= 0)
          }
        }
      }
    }

    @Test func idempotencyKeys() async throws {
      try await withLedger { ledger in
        for scope in [KeyScope.reservation, .capture, .release, .extend, .grant] {
          for name in Self.names {
            let sql = try await ledger.serviceQuery(
              "SELECT upper(tollgate.idempotency_key('\(scope.rawValue)', '\(name)')::text)")
            #expect(sql == [scope.derive(name).uuidString])
          }
        }
      }
    }

    @Test(arguments: [
      "1970-01-05T00:00:00Z", "2026-11-29T23:59:59Z", "2026-11-30T00:00:00Z",
      "2027-01-01T12:00:00Z", "2283-12-31T00:00:00Z",
    ])
    func reservationKeys(at instant: String) async throws {
      let date = try Date(instant, strategy: .iso8601)
      try await withLedger { ledger in
        for name in Self.names {
          let sql = try await ledger.serviceQuery(
            "SELECT upper(tollgate.reservation_key('\(name)', '\(instant)')::text)")
          #expect(sql == [ReservationKey.derived(from: name, at: date).uuidString])
        }
      }
    }
  }
}
