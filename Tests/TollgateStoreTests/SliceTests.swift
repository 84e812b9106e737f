import Foundation
import Testing

@testable import TollgateStore

@Suite struct SliceTests {
  private static let all = LargeAccount.prefixes

  private static func account(kept: [ClosedRange<Int64>] = []) -> LargeAccount {
    LargeAccount(
      account: 7, lateBefore: .init(microseconds: 0), knowsLateHolds: true, kept: kept)
  }

  @Test(arguments: [all / 70_000, all / 1_000, all / 3, all])
  func thePartsOfALargeAccountAreAllKeysInEachPass(_ width: Int64) {
    let account = Self.account()
    var position = SlicePosition(account: 7)
    var next: [LargeAccount.Pass: Int64] = [:]
    while LargeAccount.pass(of: position.part) != .sequence {
      let pass = LargeAccount.pass(of: position.part)
      let first = LargeAccount.first(of: position.part)
      #expect(first == next[pass, default: 0])
      next[pass] = min(first + width, Self.all)
      position = account.next(after: position.part, through: min(first + width, Self.all) - 1)
    }
    #expect(next == [.keys: Self.all, .actionKeys: Self.all, .bodies: Self.all])
  }

  @Test func aPartEndsWhereWhatIsKeptForItDoes() {
    let account = Self.account(kept: [5...9, 10...19])
    #expect(account.keptPart(from: 5) == 5...9)
    #expect(account.keptPart(from: 8) == 8...9)
    #expect(account.keptPart(from: 10) == 10...19)
    #expect(account.keptPart(from: 4) == nil)
    #expect(account.keptPart(from: 20) == nil)
  }

  @Test func aRangeOfKeysHasAllThatBeginWithItsPrefixes() {
    #expect(KeyRange(0...Self.all - 1).first.uuidString == "00000000-0000-0000-0000-000000000000")
    #expect(KeyRange(0...Self.all - 1).last.uuidString == "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF")
    let some = KeyRange(0x1020304...0x1020305)
    #expect(some.first.uuidString == "01020304-0000-0000-0000-000000000000")
    #expect(some.last.uuidString == "01020305-FFFF-FFFF-FFFF-FFFFFFFFFFFF")
  }

  @Test func whatTakesLongIsCutSmallerAndLargerAgain() {
    var limits = VerificationLimits()
    (limits.accounts, limits.rows) = (1_000, 40_000)
    var size = SliceSize(limits)
    size.took(.seconds(3))
    #expect(size.rows == 20_000 && size.accounts == 500)
    size.took(.seconds(1))
    #expect(size.rows == 20_000)
    size.took(.milliseconds(100))
    #expect(size.rows == 40_000 && size.accounts == 1_000)
    size.took(.zero)
    #expect(size.rows == 40_000)
    #expect(size.timedOut() && size.rows == 10_000)
  }

  @Test func thereIsASmallestSlice() {
    var size = SliceSize(VerificationLimits())
    var tries = 0
    while size.timedOut() { tries += 1 }
    #expect(tries < 10 && size.rows == 500 && size.accounts == 500)
    var limits = VerificationLimits()
    (limits.accounts, limits.rows) = (2, 3)
    size = SliceSize(limits)
    #expect(!size.timedOut() && size.rows == 3 && size.accounts == 2)
  }
}
