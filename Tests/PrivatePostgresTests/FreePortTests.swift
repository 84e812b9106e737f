import Foundation
import Testing

@testable import PrivatePostgres

struct FreePortTests {
  @Test("a free port can be listened on, and is not free meanwhile")
  func freePortIsFree() throws {
    let listener = try #require(Listener(port: freePort()))
    #expect(!isPortFree(listener.port))
    listener.end()
    #expect(isPortFree(listener.port))
  }
}

/// Listens on a port of 127.0.0.1, as a stranger's program would.
struct Listener {
  let port: Int
  private let descriptor: Int32

  init?(port: Int) {
    self.port = port
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = self.descriptor
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) == 0 }
    }
    guard bound, listen(descriptor, 1) == 0 else {
      close(descriptor)
      return nil
    }
  }

  func end() {
    close(descriptor)
  }
}
