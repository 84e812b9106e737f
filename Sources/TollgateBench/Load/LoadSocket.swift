import Foundation

struct SystemError: Error, CustomStringConvertible {
  let description: String

  init(_ call: String) { description = "\(call): \(String(cString: strerror(errno)))" }
}

/// A non-blocking TCP connection to a port of this machine.
struct LoadSocket: ~Copyable {
  let descriptor: Int32

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SystemError("socket") }
    try Self.connect(descriptor, port: port)
    var on: Int32 = 1
    setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
  }

  deinit { close(descriptor) }

  private static func connect(_ descriptor: Int32, port: Int) throws {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
    address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw SystemError("connect to port \(port)") }
  }

  /// How many bytes the kernel took; 0 when it takes none now.
  func send(_ bytes: ArraySlice<UInt8>) throws -> Int {
    let sent = bytes.withUnsafeBytes {
      Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
    if sent >= 0 { return sent }
    if errno == EAGAIN { return 0 }
    throw SystemError("send")
  }

  /// How many bytes came; 0 when there are none now.
  func receive(into bytes: UnsafeMutableRawBufferPointer) throws -> Int {
    let received = recv(descriptor, bytes.baseAddress, bytes.count, 0)
    if received > 0 { return received }
    if received == 0 { throw ConnectionClosed() }
    if errno == EAGAIN { return 0 }
    throw SystemError("recv")
  }
}

struct ConnectionClosed: Error, CustomStringConvertible {
  let description = "the service closed the connection"
}
