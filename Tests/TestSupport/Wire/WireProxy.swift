import Foundation
import NIOCore
import NIOPosix
import Testing

/// Stands between a worker and PostgreSQL, reads what they say, and breaks the wire when told.
public final class WireProxy: Sendable {
  private let faults = WireFaults()
  private let listener: any Channel
  private let server: URLComponents

  /// - Parameter url: of the database.
  public init(to url: String) async throws {
    server = try #require(URLComponents(string: url))
    let port = try #require(server.port)
    listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { [faults] in Self.link($0, toServerAt: port, faults) }
      .bind(host: "127.0.0.1", port: 0).get()
  }

  public func close() async throws { try await listener.close() }

  /// The URL of the database by way of the proxy.
  public var url: String {
    var url = server
    url.port = listener.localAddress?.port
    return url.string ?? ""
  }

  private static func link(
    _ client: any Channel, toServerAt port: Int, _ faults: WireFaults
  ) -> EventLoopFuture<Void> {
    ClientBootstrap(group: client.eventLoop)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .connect(host: "127.0.0.1", port: port)
      .flatMapThrowing { server in
        let link = WireLink(client: client, server: server, faults)
        try client.pipeline.syncOperations.addHandler(WireEnd(link, .toServer))
        try server.pipeline.syncOperations.addHandler(WireEnd(link, .toClient))
      }
  }
}

extension WireProxy {
  /// Faults that have happened.
  public var fired: Int { faults.fired }

  /// Lets a fault happen at the next chance. The connections that know its statement are closed, so
  /// that it is prepared again.
  public func arm(_ fault: WireFault) async {
    for client in faults.takeCarriers(of: fault.statement) { try? await client.close() }
    faults.arm(fault)
  }

  /// Waits until nothing is held back any more.
  public func settle() async throws {
    while faults.late > 0 { try await Task.sleep(for: .milliseconds(20)) }
  }
}
