import Foundation
import Testing

@testable import TollgateStore

@Suite struct SliceTests {
  @Test(arguments: [1, 3, 1_000, 40_000, 65_536] as [Int32])
  func thePartsOfALargeAccountAreAllKeysInEachPass(_ width: Int32) {
    let account = LargeAccount(
      account: 7, widths: .init(keys: width, actionKeys: width, bodies: width),
      lateBefore: .init(microseconds: 0), knowsLateHolds: true)
    var position = SlicePosition(account: 7)
    var next: [LargeAccount.Pass: Int32] = [:]
    while LargeAccount.pass(of: position.part) != .sequence {
      let pass = LargeAccount.pass(of: position.part)
      let prefixes = account.prefixes(of: position.part)
      #expect(prefixes.lowerBound == next[pass, default: 0])
      next[pass] = prefixes.upperBound + 1
      position = account.next(after: position.part)
    }
    #expect(next == [.keys: 65_536, .actionKeys: 65_536, .bodies: 65_536])
  }

  @Test(arguments: [1, 3, 1_000, 40_000, 65_536] as [Int32])
  func whatIsKeptForAPartIsKeptForTheNextOnes(_ width: Int32) {
    var account = LargeAccount(
      account: 7, widths: .init(keys: width, actionKeys: width, bodies: width),
      lateBefore: .init(microseconds: 0), knowsLateHolds: true)
    #expect(account.keeps(0...0) == nil)
    var position = SlicePosition(account: 7)
    var kept = 0
    while LargeAccount.pass(of: position.part) == .keys {
      let prefixes = account.prefixes(of: position.part)
      if account.keeps(prefixes) == nil {
        account.keep(from: prefixes)
        kept += 1
        let parts = account.toKeep(from: prefixes)
        #expect(parts.count <= Int(LargeAccount.keptParts))
        #expect(zip(parts, parts.dropFirst()).allSatisfy { $0.upperBound + 1 == $1.lowerBound })
      }
      #expect(account.keeps(prefixes) != nil)
      position = account.next(after: position.part)
    }
    let parts = (65_536 + Int(width) - 1) / Int(width)
    #expect(kept == (parts + 127) / 128)
  }

  @Test func aRangeOfKeysHasAllThatBeginWithItsPrefixes() {
    #expect(KeyRange(0...65_535).first.uuidString == "00000000-0000-0000-0000-000000000000")
    #expect(KeyRange(0...65_535).last.uuidString == "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF")
    #expect(KeyRange(258...259).first.uuidString == "01020000-0000-0000-0000-000000000000")
    #expect(KeyRange(258...259).last.uuidString == "0103FFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF")
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
