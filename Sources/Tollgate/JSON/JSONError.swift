/// Why bytes are not acceptable JSON. The description repeats nothing of the input.
public struct JSONError: Error, Sendable, Hashable {
  /// Where the trouble starts, in bytes from the start of the document.
  public let offset: Int
  public let reason: String
}

extension JSONError: CustomStringConvertible {
  public var description: String { "invalid JSON at byte \(offset): \(reason)" }
}
