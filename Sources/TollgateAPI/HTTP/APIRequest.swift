import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Tollgate
import TollgateStore

/// What every handler is given: who asks, the body, the idempotency key, and until when to answer.
struct APIRequest: Sendable {
  let principal: Principal
  let body: JSON
  let idempotencyKey: String?
  let deadline: ContinuousClock.Instant
  /// When it came.
  let date: Date
}

/// The context of a request that the router answers.
public struct APIRequestContext: RequestContext {
  public var coreContext: CoreRequestContextStorage

  public init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
  }
}

extension API {
  /// Bodies of single actions and of projections, and of a batch of actions, in bytes.
  static let bodyLimit = 1 << 20
  static let batchBodyLimit = 8 << 20

  /// Whose token it is, if that is known without asking; `nil` says nothing.
  func knownPrincipal(of token: String) -> Principal? { keys.knownPrincipal(of: token) }

  func principal(
    of headers: RequestHeaders, until deadline: ContinuousClock.Instant
  ) async throws -> Principal {
    guard let token = headers.bearerToken else { throw APIError.unauthorized }
    let principal =
      SessionTokens.isToken(token)
      ? try await sessions.principal(of: token, until: deadline)
      : try await keys.principal(of: token, until: deadline)
    guard let principal else { throw APIError.unauthorized }
    return principal
  }
}

extension APIRequest {
  init(
    _ principal: Principal, _ headers: RequestHeaders, _ body: ByteBuffer,
    until deadline: ContinuousClock.Instant, date: Date
  ) throws(APIError) {
    self.principal = principal
    self.date = date
    self.deadline = deadline
    self.body = try Self.json(body)
    idempotencyKey = try Self.idempotencyKey(of: headers)
  }

  /// An absent body is an empty object.
  private static func json(_ body: ByteBuffer) throws(APIError) -> JSON {
    if body.readableBytes == 0 { return .object([:]) }
    do {
      return try JSON(parsing: body.readableBytesView)
    } catch {
      throw RequestFields.error([
        RequestFields.problem([.integer(Int64(error.offset))], error.reason, "json_invalid")
      ])
    }
  }

  private static func idempotencyKey(of headers: RequestHeaders) throws(APIError) -> String? {
    guard let key = headers.idempotencyKey else { return nil }
    if Identifier.isValid(key) { return key }
    throw RequestFields.error([
      RequestFields.problem(
        [.string("Idempotency-Key")], Identifier.rule, "string_pattern_mismatch")
    ])
  }
}
