import Foundation

/// An answer that is not what the request asks for. A benchmark over it would count nothing.
struct WrongAnswer: Error, CustomStringConvertible {
  let description: String

  init(_ problem: String, _ bytes: UnsafeRawBufferPointer) {
    description = "\(problem): \(String(decoding: bytes.prefix(600), as: UTF8.self))"
  }
}

/// A whole HTTP response, valid while its bytes are. It is scanned, not parsed: the load must not
/// cost more than the service.
struct Response {
  let status: Int
  let body: UnsafeRawBufferPointer

  /// `nil` while bytes are missing.
  init?(_ bytes: UnsafeRawBufferPointer) throws(WrongAnswer) {
    guard let headEnd = bytes.position(after: "\r\n\r\n", from: 0) else { return nil }
    let head = UnsafeRawBufferPointer(rebasing: bytes[..<headEnd])
    guard head.count > 12, let status = head.number(at: 9),
      let length = Self.contentLength(head)
    else { throw WrongAnswer("not a response with a length", head) }
    guard bytes.count >= headEnd + length else { return nil }
    guard bytes.count == headEnd + length else {
      throw WrongAnswer("more than one response", bytes)
    }
    self.status = status
    body = UnsafeRawBufferPointer(rebasing: bytes[headEnd...])
  }

  private static func contentLength(_ head: UnsafeRawBufferPointer) -> Int? {
    // Servers write it in either case.
    let start =
      head.position(after: "\r\nContent-Length: ", from: 0)
      ?? head.position(after: "\r\ncontent-length: ", from: 0)
    return start.flatMap { head.number(at: $0) }
  }
}

extension UnsafeRawBufferPointer {
  /// Where `text` ends when it occurs at or after `start`.
  func position(after text: StaticString, from start: Int) -> Int? {
    let length = text.utf8CodeUnitCount
    guard let base = baseAddress, length > 0 else { return nil }
    let first = text.utf8Start.pointee
    var index = start
    while index + length <= count {
      if self[index] == first, memcmp(base + index, text.utf8Start, length) == 0 {
        return index + length
      }
      index += 1
    }
    return nil
  }

  /// The decimal number that starts at `start`.
  func number(at start: Int) -> Int? {
    var value = 0
    var index = start
    while index < count, case let digit = self[index] &- UInt8(ascii: "0"), digit < 10 {
      guard index - start < 18 else { return nil }
      value = value * 10 + Int(digit)
      index += 1
    }
    return index == start ? nil : value
  }

  /// The number after `text`, at or after `start`.
  func number(after text: StaticString, from start: Int = 0) -> Int? {
    position(after: text, from: start).flatMap { number(at: $0) }
  }
}
