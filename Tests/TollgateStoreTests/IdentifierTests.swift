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

  @Test func aKeyLiesBetweenThoseOfTheWeeksBesideIt() throws {
    let sunday = try Date("2026-11-29T23:59:59Z", strategy: .iso8601)
    for key in [UUID.random(), .random(), .random()].map(\.uuidString) {
      let keys = [-604_800, 0, 1, 604_800].map { offset in
        ReservationKey.derived(from: key, at: sunday + offset).uuidString
      }
      #expect(keys.map { $0.prefix(4) } == ["2E5D", "2E61", "2E65", "2E65"])
      #expect(Set(keys.map { $0.dropFirst(4) }).count == 1)
    }
    #expect(ReservationKey.random(at: sunday).uuidString.hasPrefix("2E60"))
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
