import Crypto
import Foundation
import Tollgate

/// A tenant's number in the database.
public typealias TenantID = Int32

/// An account by the tenant's own id, with the internal id that is derived from it.
public struct AccountReference: Sendable, Hashable {
  public let tenant: TenantID
  /// The tenant's own id, `[A-Za-z0-9_.:-]{1,128}`.
  public let name: String
  /// The same as `tollgate.account_id` computes in SQL.
  public let id: Int64

  public init(tenant: TenantID, name: String) {
    self.tenant = tenant
    self.name = name
    id = SHA256.hash(data: Array("\(tenant):\(name)".utf8)).withUnsafeBytes {
      Int64(bigEndian: $0.loadUnaligned(as: Int64.self)) & Int64.max
    }
  }
}

/// The public id of a reservation. It carries its account, so it can be routed and found without a
/// directory: `res_`, the account's id and the reservation's key, in hexadecimal.
public struct ReservationID: Sendable, Hashable, CustomStringConvertible {
  public let account: Int64
  public let key: UUID

  public init(account: Int64, key: UUID) {
    self.account = account
    self.key = key
  }

  public init?(_ text: String) {
    guard text.hasPrefix("res_"), text.utf8.count == 52,
      let bytes = Hex.decode(text.utf8.dropFirst(4))
    else { return nil }
    account = bytes.withUnsafeBytes { Int64(bigEndian: $0.loadUnaligned(as: Int64.self)) }
    key = bytes.withUnsafeBytes {
      UUID(uuid: $0.loadUnaligned(fromByteOffset: 8, as: uuid_t.self))
    }
    if ReservationKey.isSought(key) { return nil }
  }

  public var description: String {
    var bytes: [UInt8] = []
    withUnsafeBytes(of: account.bigEndian) { bytes.append(contentsOf: $0) }
    withUnsafeBytes(of: key.uuid) { bytes.append(contentsOf: $0) }
    return "res_" + Hex.encode(bytes)
  }
}

extension ReservationID {
  /// Tells it from others, in whatever week a caller looks for it by its idempotency key.
  public var withoutWeek: String { "\(account)-\(ReservationKey.withoutWeek(key).uuidString)" }
}

/// The key of a reservation: 14 bits of the week in which it was asked for, 2 bits of how the rest
/// came about, and 112 that are derived from an idempotency key, or random. The same as
/// `tollgate_data.key_in_week` makes in SQL.
///
/// It is made once, when the request comes, and goes with every repeat of the command.
public enum ReservationKey {
  private enum Kind: UInt8 { case random, derived, sought }

  public static func derived(from key: String, at date: Date = .now) -> UUID {
    stamped(KeyScope.reservation.derive(key), .derived, at: date)
  }

  public static func random(at date: Date = .now) -> UUID {
    stamped(.random(), .random, at: date)
  }

  /// Names the reservation of a derived key to whoever has no more than the idempotency key, and
  /// may ask later: it is looked for in the key's week and in those beside it. No reservation has
  /// it.
  public static func sought(_ derived: UUID) -> UUID {
    var bytes = derived.uuid
    bytes.1 = bytes.1 & ~3 | Kind.sought.rawValue
    return UUID(uuid: bytes)
  }

  static func isSought(_ key: UUID) -> Bool { key.uuid.1 & 3 == Kind.sought.rawValue }

  /// What keys of the same origin have in common, whatever their week and kind.
  public static func withoutWeek(_ key: UUID) -> UUID {
    var bytes = key.uuid
    (bytes.0, bytes.1) = (0, 0)
    return UUID(uuid: bytes)
  }

  /// Weeks begin on Mondays, UTC; the first on 1970-01-05.
  private static func week(of date: Date) -> Int {
    Int(((date.timeIntervalSince1970 - 345_600) / 604_800).rounded(.down))
  }

  private static func stamped(_ key: UUID, _ kind: Kind, at date: Date) -> UUID {
    let prefix = UInt16(truncatingIfNeeded: week(of: date) << 2 | Int(kind.rawValue))
    var bytes = key.uuid
    (bytes.0, bytes.1) = (UInt8(prefix >> 8), UInt8(truncatingIfNeeded: prefix))
    return UUID(uuid: bytes)
  }
}

extension UUID {
  /// A random key. Foundation's own initialiser opens a device for each on Linux.
  public static func random() -> UUID {
    withUnsafeBytes(of: (UInt64.random(in: 0...UInt64.max), UInt64.random(in: 0...UInt64.max))) {
      UUID(uuid: $0.loadUnaligned(as: uuid_t.self))
    }
  }

  /// The first 128 bits of SHA-256, the form in which keys and fingerprints are stored.
  init(digestOf bytes: [UInt8]) {
    self = SHA256.hash(data: bytes).withUnsafeBytes {
      UUID(uuid: $0.loadUnaligned(as: uuid_t.self))
    }
  }
}

/// What an idempotency key is unique within, beside tenant and account. Reserve and charge share
/// one; the actions on a reservation have their own, so one request id may serve a whole call.
public enum KeyScope: String, Sendable {
  case reservation, capture, release, extend, grant

  /// The same as `tollgate.idempotency_key` computes in SQL.
  public func derive(_ key: String) -> UUID {
    UUID(digestOf: Array("\(rawValue):\(key)".utf8))
  }
}

/// Identifies the body of a request, so that a key cannot be used for another one.
public struct Fingerprint: Sendable, Hashable {
  public let value: UUID

  /// `parts` tell apart what the body alone does not: the action, the resolved reservation.
  public init(_ body: JSON, parts: String...) {
    value = UUID(digestOf: Array((parts.joined(separator: "\n") + "\n").utf8) + body.canonicalBytes)
  }
}

enum Hex {
  private static let digits = Array("0123456789abcdef".utf8)

  static func encode(_ bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(2 * bytes.underestimatedCount)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Lower case only: an id has one spelling. `nil` unless all of `text` is hexadecimal.
  static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 2)
    var high: UInt8?
    for digit in text {
      guard let nibble = nibble(digit) else { return nil }
      if let first = high.take() { bytes.append(first << 4 | nibble) } else { high = nibble }
    }
    return high == nil ? bytes : nil
  }

  private static func nibble(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
