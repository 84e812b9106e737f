import Foundation
import Testing

@testable import Tollgate

func json(_ text: String) throws -> JSON { try JSON(parsing: text.utf8) }

/// A book of one operation, `op`.
func oneOperationBook(_ operation: String) throws -> PriceBook {
  try PriceBook(json: json(#"{"operations": {"op": \#(operation)}}"#))
}

/// A book whose `op` bills `component` by this rule, over the integers `n` and `m` and the
/// choice `g`.
func book(line: String) throws -> PriceBook {
  try oneOperationBook(
    """
    {
      "quantities": {
        "n": {"from": ["n"], "measure": "integer", "default": 0},
        "m": {"from": ["m"], "measure": "integer", "default": 0},
        "g": {"from": ["g"], "measure": "choice", "choices": ["a", "b"], "default": "a"}
      },
      "lines": [{"component": "c", \(line)}]
    }
    """)
}

func exampleBook() throws -> PriceBook {
  let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
  let file = root.appending(path: "docs/examples/pricebook.json")
  return try PriceBook(json: JSON(parsing: Data(contentsOf: file)))
}

func fixture(_ name: String) throws -> JSON {
  let folder = Bundle.module.resourceURL?.appending(path: "Fixtures/requests")
  let file = try #require(folder).appending(path: "\(name).json")
  return try JSON(parsing: Data(contentsOf: file))
}

/// Every problem of a book that must have some.
func problems(_ text: String) throws -> [String] {
  let error = #expect(throws: PriceBookError.self) { try PriceBook(json: json(text)) }
  return try #require(error).problems.map(\.description)
}

/// Every problem of a book with the operation `a.b`.
func operationProblems(_ operation: String) throws -> [String] {
  try problems(#"{"operations": {"a.b": \#(operation)}}"#)
}

/// SplitMix64: random cases that are the same in every run.
struct SeededRandom: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
