import Foundation
import Testing

@testable import TollgateStore

@Suite struct IdentifierTests {
  @Test func aReservationIDSaysWhatItIsMadeOf() throws {
    let key = try #require(UUID(uuidString: "8205143e-a36a-5435-e871-ac280259da7e"))
    let id = ReservationID(account: 5_528_000_777, key: key)
    #expect(id.description == "res_00000001497e99098205143ea36a5435e871ac280259da7e")
    #expect(ReservationID(id.description) == id)
  }

  @Test(arguments: [
    "", "res_", "res_00000001497ef9898205143ea36a5435e871ac280259da7",
    "res_00000001497EF9898205143EA36A5435E871AC280259DA7E",
    "res_00000001497ef9898205143ea36a5435e871ac280259da7e0",
    "rex_00000001497ef9898205143ea36a5435e871ac280259da7e",
    "res_00000001497ef9898205143ea36a5435e871ac280259da7g",
    "res_0000000149ééf9898205143ea36a5435e871ac280259da7",
  ])
  func whatIsNoReservationIDIsRefused(text: String) {
    #expect(ReservationID(text) == nil)
  }

  @Test func accountsOfTwoTenantsDiffer() {
    let first = AccountReference(tenant: 1, name: "a")
    let second = AccountReference(tenant: 2, name: "a")
    #expect(first.id != second.id)
    #expect(first.id >= 0 && second.id >= 0)
  }

  @Test func keysOfTwoScopesDiffer() {
    #expect(KeyScope.reservation.derive("k") != KeyScope.capture.derive("k"))
  }

  @Test func newKeysTellTheirRoleAndAreRandom() {
    #expect(NewKey(role: .account("a")).text.hasPrefix("ak_"))
    #expect(NewKey(role: .service).text.hasPrefix("sk_"))
    #expect(NewKey(role: .admin).text != NewKey(role: .admin).text)
  }
}
