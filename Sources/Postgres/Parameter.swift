import Foundation

/// A statement's parameter in PostgreSQL's binary format, with its type's OID.
public struct Parameter: Sendable {
  let oid: UInt32
  let bytes: [UInt8]?
}

extension Parameter {
  public static func value<T: BinaryEncodable>(_ value: T?) -> Parameter {
    guard let value else { return Parameter(oid: T.oid, bytes: nil) }
    var bytes: [UInt8] = []
    value.encode(into: &bytes)
    return Parameter(oid: T.oid, bytes: bytes)
  }

  /// A one-dimensional array; `nil` elements are NULL.
  public static func array<T: BinaryEncodable>(_ values: [T?]) -> Parameter {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(20 + values.count * 12)
    Int32(1).encode(into: &bytes)  // dimensions
    Int32(1).encode(into: &bytes)  // may hold NULLs
    Int32(bitPattern: T.oid).encode(into: &bytes)
    Int32(truncatingIfNeeded: values.count).encode(into: &bytes)
    Int32(1).encode(into: &bytes)  // lower bound
    for value in values { encode(value, into: &bytes) }
    return Parameter(oid: T.arrayOID, bytes: bytes)
  }

  /// An array whose elements are mostly NULL; when all of them are, NULL itself.
  public static func sparseArray<T: BinaryEncodable>(_ values: [T?]) -> Parameter {
    values.allSatisfy { $0 == nil } ? Parameter(oid: T.arrayOID, bytes: nil) : array(values)
  }

  private static func encode<T: BinaryEncodable>(_ value: T?, into bytes: inout [UInt8]) {
    let start = bytes.count
    Int32(-1).encode(into: &bytes)
    guard let value else { return }
    value.encode(into: &bytes)
    let length = UInt32(truncatingIfNeeded: bytes.count - start - 4)
    for index in 0..<4 {
      bytes[start + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * UInt32(index)))
    }
  }
}

/// A value with a binary representation in PostgreSQL. Type OIDs are those of pg_type.dat.
public protocol BinaryEncodable: Sendable {
  static var oid: UInt32 { get }
  static var arrayOID: UInt32 { get }
  func encode(into bytes: inout [UInt8])
}

extension BinaryEncodable where Self: FixedWidthInteger {
  public func encode(into bytes: inout [UInt8]) {
    withUnsafeBytes(of: bigEndian) { bytes.append(contentsOf: $0) }
  }
}

extension Int16: BinaryEncodable {
  public static var oid: UInt32 { 21 }
  public static var arrayOID: UInt32 { 1005 }
}

extension Int32: BinaryEncodable {
  public static var oid: UInt32 { 23 }
  public static var arrayOID: UInt32 { 1007 }
}

extension Int64: BinaryEncodable {
  public static var oid: UInt32 { 20 }
  public static var arrayOID: UInt32 { 1016 }
}

extension Bool: BinaryEncodable {
  public static var oid: UInt32 { 16 }
  public static var arrayOID: UInt32 { 1000 }
  public func encode(into bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }
}

extension String: BinaryEncodable {
  public static var oid: UInt32 { 25 }
  public static var arrayOID: UInt32 { 1009 }
  public func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }
}

extension Timestamp: BinaryEncodable {
  public static var oid: UInt32 { 1184 }
  public static var arrayOID: UInt32 { 1185 }
  public func encode(into bytes: inout [UInt8]) { microseconds.encode(into: &bytes) }
}

extension UUID: BinaryEncodable {
  public static var oid: UInt32 { 2950 }
  public static var arrayOID: UInt32 { 2951 }
  public func encode(into bytes: inout [UInt8]) {
    withUnsafeBytes(of: uuid) { bytes.append(contentsOf: $0) }
  }
}

/// A `bytea`.
public struct Bytes: BinaryEncodable, Equatable {
  public static var oid: UInt32 { 17 }
  public static var arrayOID: UInt32 { 1001 }
  public let bytes: [UInt8]

  public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  public func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: self.bytes) }
}

/// A `jsonb`, as JSON text.
public struct JSONB: BinaryEncodable, Equatable {
  public static var oid: UInt32 { 3802 }
  public static var arrayOID: UInt32 { 3807 }
  public let utf8: [UInt8]

  public init(_ utf8: [UInt8]) { self.utf8 = utf8 }

  public func encode(into bytes: inout [UInt8]) {
    bytes.append(1)  // the format's version
    bytes.append(contentsOf: utf8)
  }
}
