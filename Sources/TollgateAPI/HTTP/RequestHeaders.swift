import HTTPTypes
import NIOHTTP1

/// The headers that a request is read by. One that is repeated is joined, which makes it invalid.
struct RequestHeaders: Sendable {
  private(set) var authorization: String?
  private(set) var idempotencyKey: String?
  private(set) var requestID: String?

  init(_ fields: HTTPFields) {
    authorization = fields[.authorization]
    idempotencyKey = fields[.idempotencyKey]
    requestID = fields[.requestID]
  }

  /// In one pass: each look-up would be one.
  init(_ headers: HTTPHeaders) {
    for (name, value) in headers {
      if name.matches("authorization") {
        Self.add(value, to: &authorization)
      } else if name.matches("idempotency-key") {
        Self.add(value, to: &idempotencyKey)
      } else if name.matches("x-request-id") {
        Self.add(value, to: &requestID)
      }
    }
  }

  private static func add(_ value: String, to header: inout String?) {
    header = header.map { "\($0), \(value)" } ?? value
  }
}

extension StringProtocol {
  /// Whether it is `name` but for the case of letters; `name` is in lower case.
  fileprivate func matches(_ name: StaticString) -> Bool {
    guard utf8.count == name.utf8CodeUnitCount else { return false }
    let name = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    return zip(utf8, name).allSatisfy { byte, lower in
      byte == lower || (byte | 0x20 == lower && byte.isUpperCaseLetter)
    }
  }
}

extension UInt8 {
  fileprivate var isUpperCaseLetter: Bool { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= self }
}

extension RequestHeaders {
  /// The caller's own id when it is safe to repeat.
  var safeRequestID: String? {
    requestID.flatMap { Identifier.isValid($0) ? $0 : nil }
  }

  var bearerToken: String? {
    let parts = authorization?.utf8.split(separator: UInt8(ascii: " ")) ?? []
    guard parts.count == 2, Substring(parts[0]).matches("bearer") else { return nil }
    return String(Substring(parts[1]))
  }
}
