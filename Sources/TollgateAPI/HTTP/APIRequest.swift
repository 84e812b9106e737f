import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Tollgate
import TollgateStore

/// What every handler is given: who asks, the body, the idempotency key.
struct APIRequest: Sendable {
  let principal: Principal
  let body: JSON
  let idempotencyKey: String?
}

/// The context of a request. Bodies are limited by the handlers.
public struct APIRequestContext: RequestContext {
  public var coreContext: CoreRequestContextStorage

  public init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
  }
}

extension API {
  /// Bodies of single actions, and of a batch of them, in bytes.
  static let bodyLimit = 1 << 20
  static let batchBodyLimit = 8 << 20

  /// Authenticates first: who has no key learns nothing, not even that the body is wrong.
  func request(
    _ request: Request, allowing isAllowed: (Principal.Role) -> Bool, limit: Int = bodyLimit
  ) async throws -> APIRequest {
    let principal = try await principal(of: request)
    guard isAllowed(principal.role) else { throw APIError.forbidden }
    return APIRequest(
      principal: principal, body: try await Self.body(of: request, limit: limit),
      idempotencyKey: try Self.idempotencyKey(of: request))
  }

  func principal(of request: Request) async throws -> Principal {
    guard let token = Self.bearerToken(of: request) else { throw APIError.unauthorized }
    let principal =
      SessionTokens.isToken(token)
      ? try await sessions.principal(of: token) : try await keys.principal(of: token)
    guard let principal else { throw APIError.unauthorized }
    return principal
  }

  private static func bearerToken(of request: Request) -> String? {
    let parts = request.headers[.authorization]?.split(separator: " ") ?? []
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
    return String(parts[1])
  }

  /// An absent body is an empty object.
  private static func body(of request: Request, limit: Int) async throws -> JSON {
    let buffer: ByteBuffer
    do {
      buffer = try await request.body.collect(upTo: limit)
    } catch is NIOTooManyBytesError {
      throw APIError.tooLarge(limit: limit)
    }
    if buffer.readableBytes == 0 { return .object([:]) }
    do {
      return try JSON(parsing: buffer.readableBytesView)
    } catch {
      throw RequestFields.error([
        RequestFields.problem([.integer(Int64(error.offset))], error.reason, "json_invalid")
      ])
    }
  }

  private static func idempotencyKey(of request: Request) throws(APIError) -> String? {
    guard let key = request.headers[.idempotencyKey] else { return nil }
    if Identifier.isValid(key) { return key }
    throw RequestFields.error([
      RequestFields.problem(
        [.string("Idempotency-Key")], Identifier.rule, "string_pattern_mismatch")
    ])
  }
}
