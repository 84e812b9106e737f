import Foundation
import JWTKit
import Locking
import Tollgate
import TollgateStore

/// The claims that a session token must have.
struct SessionClaims: JWTPayload {
  /// The tenant's name.
  let iss: IssuerClaim
  /// The account, by the tenant's own id.
  let sub: SubjectClaim
  let exp: ExpirationClaim

  func verify(using algorithm: some JWTAlgorithm) throws { try exp.verifyNotExpired() }
}

/// Account holders' sessions: JWTs signed by the tenant's dashboard, proved by its public keys.
final class SessionTokens: Sendable {
  /// Longer tokens are not looked at, in bytes.
  private static let lengthLimit = 4_096
  /// Key sets kept at most; a worker that has met more starts over.
  private static let cacheLimit = 1_000

  private let tenants: Tenants
  private let cache = Locked<[String: JWTKeyCollection]>([:])

  init(tenants: Tenants) { self.tenants = tenants }

  /// Whether it looks like a JWT rather than one of our keys.
  static func isToken(_ text: String) -> Bool { text.utf8.count { $0 == UInt8(ascii: ".") } == 2 }

  /// Whose session it is; `nil` when the token is malformed, expired or not the tenant's.
  ///
  /// Only the keys of the tenant that the token names can prove it, so no tenant can make sessions
  /// of another.
  func principal(
    of token: String, until deadline: ContinuousClock.Instant
  ) async throws(StoreError) -> Principal? {
    guard token.utf8.count <= Self.lengthLimit,
      let claimed = try? await JWTKeyCollection().unverified(token, as: SessionClaims.self),
      let tenant = try await tenants.tenant(named: claimed.iss.value, until: deadline),
      let keys = await keys(of: tenant),
      let claims = try? await keys.verify(token, as: SessionClaims.self),
      Identifier.isValid(claims.sub.value)
    else { return nil }
    return Principal(tenant: tenant.id, role: .account(claims.sub.value), name: "session")
  }

  private func keys(of tenant: Tenant) async -> JWTKeyCollection? {
    guard let text = tenant.sessionKeys else { return nil }
    if let keys = cache.withLock({ $0[text] }) { return keys }
    guard let keys = try? await SessionKeys.read(text) else { return nil }
    cache.withLock { cache in
      if cache.count >= Self.cacheLimit { cache.removeAll() }
      cache[text] = keys
    }
    return keys
  }
}

/// Reads the key sets that tenants give us.
public enum SessionKeys {
  public struct Refused: Error, CustomStringConvertible {
    public let description: String
  }

  /// Throws unless `text` is a JWK set (RFC 7517) of public keys only: a secret has no business
  /// here, and one shared with a public key's holder would let anyone sign.
  public static func validate(_ text: String) async throws { _ = try await read(text) }

  static func read(_ text: String) async throws -> JWTKeyCollection {
    let json = try JSON(parsing: text.utf8)
    guard case .array(let keys)? = json["keys"], !keys.isEmpty else {
      throw Refused(description: "not a JWK set: there are no keys")
    }
    for key in keys where key["d"] != nil || key["k"] != nil {
      throw Refused(description: "the set holds a private or a secret key")
    }
    return try await JWTKeyCollection().add(jwksJSON: text)
  }
}
