import Foundation
import JWTKit
import TestSupport
import Testing

/// What a dashboard puts into its tokens; `exp` may be left out to see it refused.
private struct Claims: JWTPayload {
  var iss: String
  var sub: String
  var exp: Int?

  func verify(using algorithm: some JWTAlgorithm) throws {}
}

/// The key pair of a tenant's dashboard.
private struct Dashboard {
  let keys = JWTKeyCollection()
  let publicKeys: String

  init() async throws {
    let key = ES256PrivateKey()
    await keys.add(ecdsa: key, kid: "k1")
    let (x, y) = try #require(key.parameters.map { ($0.x, $0.y) })
    publicKeys = """
      {"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "k1",
                 "x": "\(Self.base64URL(x))", "y": "\(Self.base64URL(y))"}]}
      """
  }

  func token(iss: String = "example", sub: String = "a", expiresIn: Int? = 60) async throws
    -> String
  {
    let exp = expiresIn.map { Int(Date().timeIntervalSince1970) + $0 }
    return try await keys.sign(Claims(iss: iss, sub: sub, exp: exp), kid: "k1")
  }

  private static func base64URL(_ text: String) -> String {
    text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }
}

extension Integration {
  /// Session tokens of a tenant's dashboard.
  @Suite struct SessionTests {
    private static let denied =
      #"{"error":{"code":"UNAUTHORIZED","message":"missing or invalid credentials"}}"#

    private static func withDashboard(
      _ body: @Sendable (TestGate, Dashboard) async throws -> Void
    ) async throws {
      let dashboard = try await Dashboard()
      try await withGate { gate in
        try await gate.administration.setSessionKeys(dashboard.publicKeys, tenant: gate.tenant)
        try await Task.sleep(for: .seconds(1))  // until the worker knows the keys
        try await body(gate, dashboard)
      }
    }

    @Test func aSessionReadsItsOwnAccount() async throws {
      try await Self.withDashboard { gate, dashboard in
        _ = try await gate.post(
          "actions/charge",
          #"{"account_id": "a", "operation": "personas.generate", "input": {"count": 1}}"#)
        let token = try await dashboard.token()
        let summary = try await gate.post("projections/usage-summary", as: .token(token))
        #expect(summary.status == 200)
        #expect(summary.integer("total_credits") == 85)
        let balance = try await gate.post(
          "projections/balance", #"{"account_id": "b"}"#, as: .token(token))
        #expect(balance.string("account_id") == "a")
      }
    }

    @Test func aSessionMayNotDoWhatAServiceDoes() async throws {
      try await Self.withDashboard { gate, dashboard in
        let reply = try await gate.post("actions/reserve", as: .token(dashboard.token()))
        #expect(reply.status == 403)
      }
    }

    @Test func whatDoesNotProveASessionIsDenied() async throws {
      let stranger = try await Dashboard()
      try await Self.withDashboard { gate, dashboard in
        let good = try await dashboard.token()
        let tokens = [
          try await dashboard.token(expiresIn: -1),
          try await dashboard.token(expiresIn: nil),
          try await dashboard.token(iss: "another"),
          try await dashboard.token(sub: "not an id"),
          try await stranger.token(),
          String(good.dropLast(4)) + "AAAA",
          "eyJhbGciOiJub25lIn0." + good.split(separator: ".")[1] + ".",
          "a.b.c", "..", String(repeating: "a", count: 9_000) + ".b.c",
        ]
        for token in tokens {
          let reply = try await gate.post("projections/usage-summary", as: .token(token))
          #expect(reply.status == 401)
          #expect(reply.text == Self.denied)
        }
      }
    }

    @Test func oneTenantCannotMakeSessionsOfAnother() async throws {
      let other = try await Dashboard()
      try await withGate { gate in
        let tenant = try await gate.administration.createTenant(
          "another", initialAllowance: 0, topUpURL: nil, graceSeconds: 0)
        try await gate.administration.setSessionKeys(other.publicKeys, tenant: tenant)
        try await Task.sleep(for: .seconds(1))
        let own = try await gate.post(
          "projections/balance", as: .token(other.token(iss: "another")))
        #expect(own.status == 200)
        let foreign = try await gate.post("projections/balance", as: .token(other.token()))
        #expect(foreign.status == 401)
      }
    }
  }
}
