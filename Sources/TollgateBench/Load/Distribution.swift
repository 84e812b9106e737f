import Foundation

/// Which accounts the calls are about.
enum Distribution: String, Codable, Sendable, CaseIterable {
  /// Every account alike.
  case spread
  /// A few accounts have most of the calls: the one of rank r a share of 1 / r^0.99.
  case zipf
  /// One account has all.
  case hot
}

/// Draws account numbers, 1 to `accounts`.
struct AccountSampler: Sendable {
  let distribution: Distribution
  let accounts: Int
  let zipf: ContinuousZipf

  init(_ distribution: Distribution, accounts: Int) {
    self.distribution = distribution
    self.accounts = accounts
    zipf = ContinuousZipf(ranks: accounts)
  }

  func next(_ random: inout SplitMix64) -> Int {
    switch distribution {
    case .spread: random.number(upTo: accounts)
    case .zipf: zipf.rank(at: random.fraction())
    case .hot: 1
    }
  }
}

/// Zipf's law by inverting the integral of x^-0.99 from 1/2 to n + 1/2: a formula that pgbench can
/// evaluate too, so that all contestants draw alike. Rank 1 gets a tenth more than its due, the
/// others within two percent of it.
struct ContinuousZipf: Sendable {
  static let exponent = 0.99

  let ranks: Int
  let low: Double
  let span: Double

  init(ranks: Int) {
    self.ranks = ranks
    low = pow(0.5, 1 - Self.exponent)
    span = pow(Double(ranks) + 0.5, 1 - Self.exponent) - low
  }

  /// - Parameter fraction: from 0 to 1, evenly drawn.
  func rank(at fraction: Double) -> Int {
    let rank = pow(low + fraction * span, 1 / (1 - Self.exponent)).rounded()
    return Int(min(max(rank, 1), Double(ranks)))
  }
}
