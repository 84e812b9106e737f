import Foundation
import Testing

@testable import TollgateBench

@Suite struct DistributionTests {
  private static let accounts = 1_000
  private static let draws = 200_000

  private func shares(_ distribution: Distribution) -> [Double] {
    let sampler = AccountSampler(distribution, accounts: Self.accounts)
    var random = SplitMix64(seed: 7)
    var counts = [Double](repeating: 0, count: Self.accounts + 1)
    for _ in 0..<Self.draws { counts[sampler.next(&random)] += 1 / Double(Self.draws) }
    return counts
  }

  @Test func spreadIsEven() {
    let shares = shares(.spread)
    #expect(shares[0] == 0)
    #expect(shares[1...].allSatisfy { $0 > 0.0005 && $0 < 0.0016 })
  }

  @Test func hotIsOneAccount() {
    #expect(shares(.hot)[1] > 0.999)
  }

  @Test func zipfFollowsItsLaw() {
    let shares = shares(.zipf)
    let total = (1...Self.accounts).reduce(0) { $0 + pow(Double($1), -0.99) }
    for rank in [1, 2, 3, 10] {
      let law = pow(Double(rank), -0.99) / total
      #expect(abs(shares[rank] / law - 1) < 0.15, "rank \(rank)")
    }
  }

  @Test(arguments: [1, 2, 100_000, 10_000_000])
  func zipfKeepsToItsRanks(ranks: Int) {
    let zipf = ContinuousZipf(ranks: ranks)
    #expect(zipf.rank(at: 0) == 1)
    #expect(zipf.rank(at: 1) == ranks)
  }
}
