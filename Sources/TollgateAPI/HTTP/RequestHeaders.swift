import HTTPTypes

/// The headers that a request is read by. One that is repeated is joined, which makes it invalid.
struct RequestHeaders: Sendable {
  private(set) var authorization: String?
  private(set) var idempotencyKey: String?
  private(set) var requestID: String?

  init() {}

  init(_ fields: HTTPFields) {
    authorization = fields[.authorization]
    idempotencyKey = fields[.idempotencyKey]
    requestID = fields[.requestID]
  }

  mutating func add(authorization value: String) { Self.add(value, to: &authorization) }

  mutating func add(idempotencyKey value: String) { Self.add(value, to: &idempotencyKey) }

  mutating func add(requestID value: String) { Self.add(value, to: &requestID) }

  private static func add(_ value: String, to header: inout String?) {
    header = header.map { "\($0), \(value)" } ?? value
  }
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
