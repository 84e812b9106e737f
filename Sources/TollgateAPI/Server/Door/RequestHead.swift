import HTTPTypes
import NIOHTTP1

/// The head of a request. Where RFC 9110 and 9112 let a server choose, what two servers in a row
/// could read in two ways is refused.
struct RequestHead: Sendable {
  /// How long the body is.
  enum Body: Sendable, Hashable {
    /// In bytes; a number that no integer can hold counts as the largest.
    case length(Int)
    case chunked
  }

  let method: HTTPRequest.Method
  /// Path and query. The scheme and host of an absolute target are left out.
  let target: String
  /// `nil` for what the router answers, if it knows it.
  let route: Route?
  let isKeptAlive: Bool
  private(set) var headers = RequestHeaders()
  /// All header fields for the router; a route needs no more than ``headers``.
  private(set) var fields = HTTPFields()
  private(set) var body = Body.length(0)
  private(set) var expectsContinue = false

  init(_ head: HTTPRequestHead) throws(APIError) {
    guard let method = HTTPRequest.Method(rawValue: head.method.rawValue),
      let target = Self.target(head.uri, of: method)
    else { throw .unreadable("the request line") }
    (self.method, self.target) = (method, target)
    route = method == .post ? Route(target: target) : nil
    let isHTTP11 = head.version != .http1_0
    // Clients of HTTP 1.0 disagree about what keeps a connection.
    isKeptAlive = isHTTP11 && head.isKeepAlive
    var hosts = 0
    for (name, value) in head.headers {
      try add(name, value.trimmed, isHTTP11: isHTTP11)
      if name.matches("host") { hosts += 1 }
    }
    // Whether what follows is its body or the next request servers do not agree upon.
    if method == .connect, body != .length(0) { throw .unreadable("a CONNECT has no body") }
    if hosts > 1 { throw .unreadable("there are two Host headers") }
    if isHTTP11, hosts == 0 { throw .unreadable("the Host header is missing") }
  }
}

extension RequestHead {
  /// By the length of the name first: most fields are none of these.
  private mutating func add(
    _ name: String, _ value: String, isHTTP11: Bool
  ) throws(APIError) {
    if route == nil, let name = HTTPField.Name(name) {
      fields.append(HTTPField(name: name, value: value))
    }
    switch name.utf8.count {
    case 4 where name.matches("host"): try checkHost(value)
    case 6 where name.matches("expect"): if isHTTP11 { try readExpectation(value) }
    case 12 where name.matches("x-request-id"): headers.add(requestID: value)
    case 13 where name.matches("authorization"): headers.add(authorization: value)
    case 14 where name.matches("content-length"): try readLength(value)
    case 15 where name.matches("idempotency-key"): headers.add(idempotencyKey: value)
    case 17 where name.matches("transfer-encoding"): try readEncoding(value, isHTTP11: isHTTP11)
    default: break
    }
  }

  private func checkHost(_ value: String) throws(APIError) {
    guard value.utf8.allSatisfy(\.isHostByte) else { throw .unreadable("the Host header") }
  }

  /// The decoder refuses a second one, one beside chunks, and what is no number.
  private mutating func readLength(_ value: String) throws(APIError) {
    guard !value.isEmpty, value.utf8.allSatisfy(\.isDigit) else {
      throw .unreadable("the Content-Length header")
    }
    body = .length(Int(value) ?? .max)
  }

  /// A coding that is not known is a 501 by RFC 9112, but no fault of ours.
  private mutating func readEncoding(_ value: String, isHTTP11: Bool) throws(APIError) {
    guard isHTTP11, body == .length(0), value.matches("chunked") else {
      throw .unreadable("the Transfer-Encoding header")
    }
    body = .chunked
  }

  private mutating func readExpectation(_ value: String) throws(APIError) {
    guard value.matches("100-continue") else { throw .unmetExpectation }
    expectsContinue = true
  }

  /// A server takes an absolute target too, and goes by its path (RFC 9112, 3.2.2). Two methods
  /// have targets of their own, which no route has.
  private static func target(_ uri: String, of method: HTTPRequest.Method) -> String? {
    guard !uri.isEmpty, uri.utf8.allSatisfy(\.isTargetByte) else { return nil }
    if uri.utf8.first == UInt8(ascii: "/") || method == .connect { return uri }
    if method == .options, uri == "*" { return uri }
    guard let scheme = uri.firstRange(of: "://"),
      ["http", "https"].contains(uri[..<scheme.lowerBound].lowercased())
    else { return nil }
    let path = uri[scheme.upperBound...].drop { $0 != "/" && $0 != "?" }
    return path.hasPrefix("/") ? String(path) : "/" + path
  }
}

extension APIError {
  static let unmetExpectation = APIError(
    .expectationFailed, "EXPECTATION_FAILED", "the only expectation that is met is 100-continue")
}

extension StringProtocol {
  /// Whether it is `name` but for the case of letters; `name` is in lower case.
  func matches(_ name: StaticString) -> Bool {
    guard utf8.count == name.utf8CodeUnitCount else { return false }
    let name = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    return zip(utf8, name).allSatisfy { byte, lower in
      byte == lower || (byte | 0x20 == lower && byte.isUpperCaseLetter)
    }
  }
}

extension String {
  /// Without the white space around it, which is not part of a field's value.
  fileprivate var trimmed: String {
    guard utf8.first?.isBlank ?? false || utf8.last?.isBlank ?? false else { return self }
    let value = utf8.drop(while: \.isBlank)
    let end = value.lastIndex { !$0.isBlank }
    return end.map { String(Substring(value[...$0])) } ?? ""
  }
}

extension UInt8 {
  fileprivate var isDigit: Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= self }

  fileprivate var isUpperCaseLetter: Bool { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= self }

  fileprivate var isLetter: Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= self | 0x20 }

  fileprivate var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }

  fileprivate var isTargetByte: Bool { 0x21...0x7e ~= self && self != UInt8(ascii: "#") }

  /// What a host and port are made of (RFC 3986, 3.2).
  fileprivate var isHostByte: Bool {
    isLetter || isDigit || "-.:[]_~%!$&'()*+,;=".utf8.contains(self)
  }
}
