import Testing

@testable import TollgateStore

@Suite struct KeyMemoryTests {
  private let principal = Principal(tenant: 1, role: .service, name: "test")
  private let start = ContinuousClock.now
  private var memory = KeyMemory()

  @Test mutating func whatWasFoundHoldsForASecond() {
    memory.remember("good", principal, at: start)
    memory.remember("bad", nil, at: start)
    let (before, after) = (start + .milliseconds(999), start + .seconds(1))
    #expect(memory.recall("good", at: before) == KeyMemory.Known(principal: principal))
    #expect(memory.recall("bad", at: before) == KeyMemory.Known(principal: nil))
    #expect(memory.recall("good", at: after) == nil)
    #expect(memory.recall("bad", at: after) == nil)
    #expect(memory.recall("never seen", at: before) == nil)
  }

  @Test mutating func whatWasGoodInTheLastHalfMinuteWasGoodLately() {
    memory.remember("good", principal, at: start)
    #expect(memory.goodLately("good", at: start + .milliseconds(29_999)) == principal)
    #expect(memory.goodLately("good", at: start + .seconds(30)) == nil)
    #expect(memory.goodLately("never seen", at: start) == nil)
  }

  @Test mutating func whoseKeyWasGoodIsNoStranger() {
    memory.remember("good", principal, at: start)
    memory.remember("bad", nil, at: start)
    #expect(memory.wasGood("good"))
    #expect(!memory.wasGood("bad") && !memory.wasGood("never seen"))
    memory.remember("good", nil, at: start)
    #expect(!memory.wasGood("good"))
  }

  @Test mutating func aRevokedKeyIsNoLongerGood() {
    memory.remember("key", principal, at: start)
    memory.remember("key", nil, at: start + .seconds(2))
    #expect(memory.goodLately("key", at: start + .seconds(2)) == nil)
    #expect(memory.recall("key", at: start + .seconds(2)) == KeyMemory.Known(principal: nil))
  }

  @Test mutating func whoPresentsNoKeysPushesNoneOut() {
    memory.remember("good", principal, at: start)
    for number in 0...KeyMemory.limit { memory.remember("bad \(number)", nil, at: start) }
    #expect(memory.goodLately("good", at: start) == principal)
  }
}
