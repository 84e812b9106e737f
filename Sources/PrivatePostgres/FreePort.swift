import Foundation

/// A TCP port of 127.0.0.1 on which nobody listens at the moment of the call.
///
/// Ports are drawn below the range from which Linux serves outgoing connections, so that a port
/// that is remembered for a later start is not borrowed by a passing client in between.
/// Another process can still take it before the caller does: be ready to ask again.
public func freePort() -> Int {
  let attempts = 100
  for _ in 0..<attempts {
    let port = Int.random(in: 20_000..<32_000)
    if isPortFree(port) { return port }
  }
  return portFromSystem()
}

/// Whether a server could listen on this port of 127.0.0.1 now.
func isPortFree(_ port: Int) -> Bool {
  boundPort(port) != nil
}

private func portFromSystem() -> Int {
  boundPort(0) ?? 0
}

/// Binds a socket for an instant and returns the port it got, or nil if it is taken.
private func boundPort(_ port: Int) -> Int? {
  let descriptor = socket(AF_INET, streamType, 0)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  // The server sets this option as well: a port in TIME_WAIT is free, one with a listener is not.
  var reuse: Int32 = 1
  let reuseSize = socklen_t(MemoryLayout<Int32>.size)
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, reuseSize)
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = in_port_t(UInt16(port)).bigEndian
  address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
  return withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      guard bind(descriptor, generic, size) == 0 else { return nil }
      guard getsockname(descriptor, generic, &size) == 0 else { return nil }
      return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
        Int(UInt16(bigEndian: $0.pointee.sin_port))
      }
    }
  }
}

#if canImport(Glibc)
  private let streamType = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
#else
  private let streamType = SOCK_STREAM
#endif
