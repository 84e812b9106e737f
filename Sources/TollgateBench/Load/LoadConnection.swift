import Foundation

/// A connection in a closed loop: it sends its script's next request when the answer to the last
/// one is there.
struct LoadConnection<Script: LoadScript>: ~Copyable {
  private let socket: LoadSocket
  private(set) var script: Script
  private var request = ByteWriter()
  private var sent = 0
  private var received = [UInt8](repeating: 0, count: 8_192)
  private var filled = 0

  init(port: Int, script: Script) throws {
    socket = try LoadSocket(port: port)
    self.script = script
  }

  var descriptor: Int32 { socket.descriptor }

  /// Whether the kernel would not take all of the request yet.
  var isSending: Bool { sent < request.bytes.count }

  mutating func sendNext(now: UInt64) throws {
    request.clear()
    sent = 0
    script.writeRequest(to: &request, now: now)
    try sendRest()
  }

  mutating func sendRest() throws {
    sent += try socket.send(request.bytes[sent...])
  }

  /// Reads what came; whether an answer is whole, and right.
  mutating func receive(now: UInt64, tally: inout Tally) throws -> Bool {
    if filled == received.count { received += [UInt8](repeating: 0, count: received.count) }
    filled += try received.withUnsafeMutableBytes {
      try socket.receive(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
    }
    return try received.withUnsafeBytes { bytes in
      let whole = UnsafeRawBufferPointer(rebasing: bytes[..<filled])
      guard let response = try Response(whole) else { return false }
      filled = 0
      try script.check(response, now: now, tally: &tally)
      return true
    }
  }
}
