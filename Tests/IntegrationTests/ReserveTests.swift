import TestSupport
import Testing

extension Integration {
  @Suite struct ReserveTests {
    @Test func theFirstBillableCallCreatesTheAccountWithItsAllowance() async throws {
      try await withGate { gate in
        let reply = try await gate.post(
          "actions/reserve",
          #"{"account_id": "a", "operation": "personas.generate", "input": {"count": 2}}"#)
        #expect(reply.status == 200)
        #expect(reply.integer("price") == 170)
        #expect(reply.integer("available") == 830)
        #expect(try await gate.query("SELECT count(*) FROM tollgate_data.accounts") == ["1"])
        #expect(try await gate.violations() == [])
      }
    }
  }
}
