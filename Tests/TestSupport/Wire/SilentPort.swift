import Foundation

/// A port of this machine that takes no connection and refuses none, as the ports of a host do
/// whose packets get lost: so many wait to be accepted already that the kernel drops the next.
public final class SilentPort: Sendable {
  /// The most connections that are tried to fill the queue of a listener that wants none.
  private static let queue = 8

  public let port: Int
  private let sockets: [Int32]

  public init() throws {
    let listener = try Self.socket()
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = Self.with(&address) { bind(listener, $0, length) == 0 }
    guard isListening, listen(listener, 0) == 0,
      Self.with(&address, { getsockname(listener, $0, &length) == 0 })
    else { throw POSIXError(.EADDRNOTAVAIL) }
    port = Int(UInt16(bigEndian: address.sin_port))
    sockets = try [listener] + (0..<Self.queue).map { _ in try Self.connecting(to: &address) }
  }

  deinit { for socket in sockets { close(socket) } }

  private static func socket() throws -> Int32 {
    #if os(Linux)
      let stream = Int32(SOCK_STREAM.rawValue)
    #else
      let stream = SOCK_STREAM
    #endif
    let descriptor = Foundation.socket(AF_INET, stream, 0)
    guard descriptor >= 0 else { throw POSIXError(.EMFILE) }
    return descriptor
  }

  /// A socket that waits for its connection without keeping us.
  private static func connecting(to address: inout sockaddr_in) throws -> Int32 {
    let descriptor = try socket()
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    let length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = with(&address) { connect(descriptor, $0, length) }
    return descriptor
  }

  private static func with<R>(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> R
  ) -> R {
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
    }
  }
}
