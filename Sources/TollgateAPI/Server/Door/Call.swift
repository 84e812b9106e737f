import Hummingbird
import NIOCore
import TollgateStore

/// A request on its way in, and who it comes from.
struct Call: Sendable {
  let head: RequestHead
  let requestID: String
  /// Known before the body for a route comes.
  private(set) var principal: Principal?
  /// How long it took to find out.
  var waited = Duration.zero
  private(set) var body = ByteBuffer()
  /// What it has of the room for long bodies.
  private(set) var room: BodyRoom.Share?

  init(_ head: RequestHead) {
    self.head = head
    requestID = head.headers.safeRequestID ?? RequestID().description
  }

  /// False when there is no room for it.
  mutating func append(_ part: ByteBuffer, _ room: BodyRoom) -> Bool {
    if body.readableBytes == 0 { body = part } else { body.writeImmutableBuffer(part) }
    if body.readableBytes <= Self.freeBody { return true }
    let share = self.room ?? BodyRoom.Share(room)
    self.room = share
    return share.grow(to: body.readableBytes)
  }

  /// What its head says to the connection.
  var request: ClientConnection.Request {
    ClientConnection.Request(
      body: head.body, limit: head.route?.bodyLimit ?? API.bodyLimit,
      isKeptAlive: head.isKeptAlive, expectsContinue: head.expectsContinue)
  }
}

extension Call {
  /// Bodies of other requests up to so many bytes are kept of anybody: less than a head may have.
  /// What is behind the router asks for a key itself. All that are longer share their room.
  private static let freeBody = 4 << 10

  /// Before a body is kept, its sender must show a good key, and one for this route.
  mutating func admit(_ api: API) -> ClientConnection.Admission {
    if head.route == nil {
      if !head.hasCleanPath { return .refused(.notFound) }
      if case .length(...Self.freeBody) = head.body { return .granted }
    }
    guard let token = head.headers.bearerToken else { return .refused(.unauthorized) }
    guard let principal = api.knownPrincipal(of: token) else { return .unknown }
    return admit(principal).map { .refused($0) } ?? .granted
  }

  /// Why it may not go on, if it may not.
  mutating func admit(_ principal: Principal) -> APIError? {
    self.principal = principal
    guard let route = head.route, !route.isAllowed(to: principal.role) else { return nil }
    return .forbidden
  }
}

extension RequestHead {
  /// Whether the path is spelled in the one way that the routes are: no doubled slash, none at the
  /// end, no escape of what needs none. A rule for a path in front of us shall not be passed by
  /// another spelling.
  fileprivate var hasCleanPath: Bool {
    let path = target.prefix { $0 != "?" }.utf8
    guard path.first == slash else { return false }
    return path.count == 1
      || path.last != slash
        && zip(path, path.dropFirst()).allSatisfy { $0 != slash || $1 != slash }
        && !path.hasNeedlessEscape
  }
}

extension Substring.UTF8View {
  /// Whether a letter, a digit, one of `-._~` or a slash is written as `%` and a number.
  fileprivate var hasNeedlessEscape: Bool {
    indices.contains { index in
      guard self[index] == UInt8(ascii: "%"),
        let code = UInt8(String(Substring(self[index...].dropFirst().prefix(2))), radix: 16)
      else { return false }
      return code == slash || Unicode.Scalar(code).isUnreserved
    }
  }
}

extension Unicode.Scalar {
  /// What RFC 3986 lets stand for itself anywhere.
  fileprivate var isUnreserved: Bool {
    isASCII && properties.isAlphabetic || ("0"..."9" as ClosedRange<Unicode.Scalar>).contains(self)
      || "-._~".unicodeScalars.contains(self)
  }
}

private let slash = UInt8(ascii: "/")
