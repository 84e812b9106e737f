import Foundation
import Postgres

/// An account with more rows than a slice may have. It is looked at in parts: by its keys, by its
/// action keys, by the bodies of its requests, each cut by their first 16 bits; at last its entries
/// in sequence, with the sums.
struct LargeAccount: Sendable {
  enum Pass: Int32, Sendable {
    case keys, actionKeys, bodies, sequence
  }

  /// Parts whose entries are kept at once.
  static let keptParts: Int32 = 128
  /// One more than the largest prefix of a key.
  static let prefixes: Int32 = 65_536

  let account: Int64
  var widths: Widths
  /// A hold whose deadline is older is late.
  let lateBefore: Timestamp
  /// Whether all parts were looked at in this session, which remembers the late holds.
  let knowsLateHolds: Bool
  /// The prefixes of the keys whose entries are kept, through which entry.
  var kept: ClosedRange<Int32>?
  var keptThrough = Int64.min

  static func pass(of part: Int32) -> Pass { Pass(rawValue: part / prefixes) ?? .sequence }

  private func width(of part: Int32) -> Int32 {
    switch Self.pass(of: part) {
    case .keys: widths.keys
    case .actionKeys: widths.actionKeys
    case .bodies: widths.bodies
    case .sequence: Self.prefixes
    }
  }

  /// The prefixes of a part.
  func prefixes(of part: Int32) -> ClosedRange<Int32> {
    let first = part % Self.prefixes
    return first...min(first + width(of: part), Self.prefixes) - 1
  }

  func next(after part: Int32) -> SlicePosition {
    let last = prefixes(of: part).upperBound
    let pass = part / Self.prefixes
    let isLast = last == Self.prefixes - 1
    return SlicePosition(
      account: account, part: isLast ? (pass + 1) * Self.prefixes : pass * Self.prefixes + last + 1)
  }

  /// What is kept, if these prefixes are.
  func keeps(_ prefixes: ClosedRange<Int32>) -> ClosedRange<Int32>? {
    kept.flatMap { kept in
      kept.contains(prefixes.lowerBound) && kept.contains(prefixes.upperBound) ? kept : nil
    }
  }

  mutating func keep(from prefixes: ClosedRange<Int32>) {
    let parts = toKeep(from: prefixes)
    kept = prefixes.lowerBound...(parts.last?.upperBound ?? prefixes.upperBound)
    keptThrough = .min
  }

  /// The parts to keep entries for, from these prefixes on.
  func toKeep(from prefixes: ClosedRange<Int32>) -> [ClosedRange<Int32>] {
    let end = min(prefixes.lowerBound + widths.keys * Self.keptParts, Self.prefixes)
    return stride(from: prefixes.lowerBound, to: end, by: Int(widths.keys)).map { first in
      first...min(first + widths.keys, end) - 1
    }
  }
}

extension LargeAccount {
  /// How many prefixes a part has, by pass.
  struct Widths: Sendable {
    let keys: Int32
    let actionKeys: Int32
    let bodies: Int32

    /// A width is `nil` where all fits into one part.
    init(keys: Int32? = nil, actionKeys: Int32? = nil, bodies: Int32? = nil) {
      self.keys = Self.width(keys)
      self.actionKeys = Self.width(actionKeys)
      self.bodies = Self.width(bodies)
    }

    private static func width(_ prefixes: Int32?) -> Int32 {
      min(max(prefixes ?? LargeAccount.prefixes, 1), LargeAccount.prefixes)
    }
  }
}

/// All keys that begin with one of some prefixes.
struct KeyRange: Sendable {
  let first: UUID
  let last: UUID

  init(_ prefixes: ClosedRange<Int32>) {
    first = Self.uuid(prefixes.lowerBound, then: 0)
    last = Self.uuid(prefixes.upperBound, then: 255)
  }

  var parameters: [Parameter] { [.value(first), .value(last)] }

  private static func uuid(_ prefix: Int32, then byte: UInt8) -> UUID {
    let (high, low) = (UInt8(truncatingIfNeeded: prefix >> 8), UInt8(truncatingIfNeeded: prefix))
    return UUID(
      uuid: (
        high, low, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte,
        byte
      ))
  }
}
