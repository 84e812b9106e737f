import Foundation
import Tollgate

/// A kind of billable call that the load is made of: what is asked for, and what it must cost.
/// Five operations of five components, as the naive ledger has five products.
struct Call: Sendable {
  let quantities: JSON
  let quote: Quote

  var component: String { quote.lines[0].component }
  var price: Int64 { quote.price }

  private static let requests: [(operation: String, quantities: [[String: Int64]])] = [
    ("personas.generate", [["count": 1], ["count": 2], ["count": 5], ["count": 12]]),
    (
      "social-learning.extract",
      [["chars": 900, "messages": 6], ["chars": 5_200, "messages": 31]]
    ),
    (
      "social-observability.analyze",
      [["chars": 1_400, "messages": 9], ["chars": 12_000, "messages": 64]]
    ),
    ("theoryofmind.foresee", [["chars": 2_500], ["chars": 9_000]]),
    ("turn-taking.submit_messages", [["chars": 4_100], ["chars": 15_000]]),
  ]

  /// As the example price book prices them.
  static func all(bookAt path: String) throws -> [Call] {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let book = try PriceBook(json: JSON(parsing: text.utf8))
    return try requests.flatMap { operation, choices in
      try choices.map { choice in
        let quantities = choice.mapValues { JSON.integer($0) }
        return Call(
          quantities: .object(quantities),
          quote: try book.quote(operation, input: nil, quantities: quantities))
      }
    }
  }
}
