import Foundation

/// Between whom the wire is cut.
public enum WirePlace: String, Sendable, CaseIterable {
  case workerAndPostgres
  case workerAndPgBouncer
  case pgBouncerAndPostgres

  /// TOLLGATE_PGBOUNCER=1 asks for all, if PgBouncer is installed.
  public static var tried: [WirePlace] {
    environmentNumber("TOLLGATE_PGBOUNCER") == 1 ? allCases : [.workerAndPostgres]
  }

  /// Calls `body` with the URL by which a worker reaches the database, and with the proxy on its
  /// way.
  func with<T: Sendable>(
    _ url: String, _ body: @Sendable (String, WireProxy) async throws -> T
  ) async throws -> T {
    switch self {
    case .workerAndPostgres:
      try await WireProxy.with(to: url) { try await body($0.url, $0) }
    case .workerAndPgBouncer:
      try await PgBouncer.with(before: url, superuser: url) { pooled in
        try await WireProxy.with(to: pooled) { try await body($0.url, $0) }
      }
    case .pgBouncerAndPostgres:
      try await WireProxy.with(to: url) { proxy in
        try await PgBouncer.with(before: proxy.url, superuser: url) { try await body($0, proxy) }
      }
    }
  }
}

extension WireProxy {
  fileprivate static func with<T: Sendable>(
    to url: String, _ body: @Sendable (WireProxy) async throws -> T
  ) async throws -> T {
    let proxy = try await WireProxy(to: url)
    let result = await Result { try await body(proxy) }
    try await proxy.close()
    return try result.get()
  }
}
