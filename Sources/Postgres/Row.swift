import CLibpq
import Foundation

/// One row of a result, valid while the decoding closure runs. Columns are read in order.
public struct Row: ~Copyable {
  private let result: OpaquePointer
  private let row: Int32
  private var column: Int32 = 0

  init(result: OpaquePointer, row: Int32) {
    self.result = result
    self.row = row
  }

  /// The next column, which must not be NULL.
  public mutating func next<T: BinaryDecodable>(
    _ type: T.Type = T.self
  ) throws(PostgresError) -> T {
    if let value = try optional(type) { return value }
    throw PostgresError(.unexpectedResult, "column \(column) is NULL")
  }

  /// The next column; NULL is `nil`.
  public mutating func optional<T: BinaryDecodable>(
    _ type: T.Type = T.self
  ) throws(PostgresError) -> T? {
    defer { column += 1 }
    guard column < PQnfields(result) else {
      throw PostgresError(.unexpectedResult, "no column \(column)")
    }
    if PQgetisnull(result, row, column) == 1 { return nil }
    let bytes = UnsafeRawBufferPointer(
      start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
    if let value = T(binary: bytes) { return value }
    throw PostgresError(.unexpectedResult, "column \(column) is not a \(T.self)")
  }
}

/// A value that can be read from PostgreSQL's binary format; `nil` when the bytes are not one.
public protocol BinaryDecodable {
  init?(binary bytes: UnsafeRawBufferPointer)
}

extension BinaryDecodable where Self: FixedWidthInteger {
  public init?(binary bytes: UnsafeRawBufferPointer) {
    guard bytes.count == MemoryLayout<Self>.size else { return nil }
    self.init(bigEndian: bytes.loadUnaligned(as: Self.self))
  }
}

extension Int16: BinaryDecodable {}
extension Int32: BinaryDecodable {}
extension Int64: BinaryDecodable {}

extension Bool: BinaryDecodable {
  public init?(binary bytes: UnsafeRawBufferPointer) {
    guard bytes.count == 1 else { return nil }
    self = bytes[0] != 0
  }
}

extension String: BinaryDecodable {
  public init?(binary bytes: UnsafeRawBufferPointer) {
    self.init(decoding: bytes, as: UTF8.self)
  }
}

extension UUID: BinaryDecodable {
  public init?(binary bytes: UnsafeRawBufferPointer) {
    guard bytes.count == 16 else { return nil }
    self.init(uuid: bytes.loadUnaligned(as: uuid_t.self))
  }
}

extension JSONB: BinaryDecodable {
  public init?(binary bytes: UnsafeRawBufferPointer) {
    guard bytes.first == 1 else { return nil }
    self.init(Array(bytes.dropFirst()))
  }
}

/// A `timestamptz`: microseconds since 2000-01-01 UTC, PostgreSQL's own unit.
public struct Timestamp: BinaryDecodable, Sendable, Hashable {
  public let microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }

  public init?(binary bytes: UnsafeRawBufferPointer) {
    guard let value = Int64(binary: bytes) else { return nil }
    self.init(microseconds: value)
  }

  public var date: Date {
    Date(timeIntervalSinceReferenceDate: Double(microseconds) / 1e6 - 366 * 86_400)
  }
}
