import Foundation
import Postgres

/// An account with more rows than a slice may have. It is looked at in parts: by its keys, by its
/// action keys, by the bodies of its requests, each cut by their first 32 bits; at last its entries
/// in sequence, with the sums.
///
/// Keys of reservations begin with their week, so how dense they are differs from week to week:
/// where a part ends is looked up.
struct LargeAccount: Sendable {
  enum Pass: Int64, Sendable {
    case keys, actionKeys, bodies, sequence
  }

  /// Parts whose entries are kept at once.
  static let keptParts = 128
  /// One more than the largest prefix of a key.
  static let prefixes: Int64 = 1 << 32

  let account: Int64
  /// A hold whose deadline is older is late.
  let lateBefore: Timestamp
  /// Whether all parts were looked at in this session, which remembers the late holds.
  let knowsLateHolds: Bool
  /// The parts whose entries are kept, one behind another, and through which entry.
  var kept: [ClosedRange<Int64>] = []
  var keptThrough = Int64.min

  static func pass(of part: Int64) -> Pass { Pass(rawValue: part / prefixes) ?? .sequence }

  /// The prefix with which a part begins.
  static func first(of part: Int64) -> Int64 { part % prefixes }

  /// From a prefix to the end of the kept part that has it.
  func keptPart(from first: Int64) -> ClosedRange<Int64>? {
    kept.first { $0.contains(first) }.map { first...$0.upperBound }
  }

  /// Where it goes on when a part that ends with a prefix was looked at.
  func next(after part: Int64, through last: Int64) -> SlicePosition {
    let pass = part / Self.prefixes
    let isLast = last == Self.prefixes - 1
    return SlicePosition(
      account: account, part: isLast ? (pass + 1) * Self.prefixes : pass * Self.prefixes + last + 1)
  }
}

/// All keys that begin with one of some prefixes.
struct KeyRange: Sendable {
  let first: UUID
  let last: UUID

  init(_ prefixes: ClosedRange<Int64>) {
    first = Self.uuid(prefixes.lowerBound, then: 0)
    last = Self.uuid(prefixes.upperBound, then: 255)
  }

  var parameters: [Parameter] { [.value(first), .value(last)] }

  private static func uuid(_ prefix: Int64, then byte: UInt8) -> UUID {
    let bytes = withUnsafeBytes(of: UInt32(truncatingIfNeeded: prefix).bigEndian) { Array($0) }
    return UUID(
      uuid: (
        bytes[0], bytes[1], bytes[2], bytes[3], byte, byte, byte, byte, byte, byte, byte, byte,
        byte, byte, byte, byte
      ))
  }
}
