/// Everything that is wrong with a price book, found in one reading.
public struct PriceBookError: Error, Sendable, Hashable {
  public struct Problem: Sendable, Hashable {
    /// The place in the book: `operations."personas.generate".lines[0].rates[1].unit`.
    public let path: String
    public let reason: String
  }

  /// At most `mostProblems`, in the order of the names in the book.
  public let problems: [Problem]

  static let mostProblems = 100
}

extension PriceBookError: CustomStringConvertible {
  public var description: String { problems.map(\.description).joined(separator: "\n") }
}

extension PriceBookError.Problem: CustomStringConvertible {
  public var description: String { path.isEmpty ? reason : "\(path): \(reason)" }
}
