import Foundation

/// The log that pgbench writes with --log: a line per run of the script.
struct PgbenchLog {
  struct Transaction: Equatable {
    /// When it ended, in seconds since 1970.
    let end: Double
    let microseconds: UInt64
  }

  private(set) var transactions: [Transaction] = []

  /// Of all threads.
  init(folder: URL) throws {
    let files = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil)
    for file in files where file.lastPathComponent.hasPrefix("log") {
      append(try Data(contentsOf: file))
    }
  }

  init(_ text: Data) { append(text) }

  /// `client transaction microseconds script second microsecond`
  private mutating func append(_ text: Data) {
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: " ")).map { Self.number($0) }
      guard fields.count >= 6 else { continue }
      transactions.append(
        Transaction(
          end: Double(fields[4]) + Double(fields[5]) / 1e6, microseconds: fields[2]))
    }
  }

  private static func number(_ digits: Data) -> UInt64 {
    digits.reduce(0) { $0 &* 10 &+ UInt64($1 &- UInt8(ascii: "0")) }
  }

  /// How long those took that ended within the time.
  func count(from begin: Double, to end: Double) -> Histogram {
    var histogram = Histogram()
    for transaction in transactions where transaction.end >= begin && transaction.end < end {
      histogram.record(nanoseconds: transaction.microseconds * 1_000)
    }
    return histogram
  }
}
