import Testing

@testable import Tollgate

/// The expected prices are written out by hand from the tenant's price table.
@Suite struct ExampleBookTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let fixture: String
    var operation: String?
    var quantities: [String: JSON] = [:]
    let measured: [String: Quantities.Value]
    let lines: [String: Int64]

    var testDescription: String { fixture }
  }

  static let cases = [
    Case(
      fixture: "turn-taking.submit_messages", measured: ["chars": .integer(94)],
      lines: ["turn-taking": 1]),
    Case(
      fixture: "turn-taking.submit_messages.media", operation: "turn-taking.submit_messages",
      measured: ["chars": .integer(10)], lines: [:]),
    Case(
      fixture: "turn-taking.respond", measured: ["chars": .integer(123)],
      lines: ["turn-taking": 1, "theoryofmind": 4]),
    Case(
      fixture: "theoryofmind.foresee", measured: ["chars": .integer(130)],
      lines: ["theoryofmind": 4]),
    Case(
      fixture: "social-memory.recall", measured: ["chars": .integer(45)],
      lines: ["social-memory": 1]),
    Case(
      fixture: "social-memory.ask", measured: ["chars": .integer(39)], lines: ["social-memory": 1]),
    Case(fixture: "social-memory.ingest", measured: [:], lines: [:]),
    Case(
      fixture: "social-learning.extract",
      measured: ["chars": .integer(145), "messages": .integer(6)], lines: ["social-learning": 15]),
    Case(
      fixture: "social-observability.analyze",
      measured: ["chars": .integer(90), "messages": .integer(4)],
      lines: ["social-observability": 11]),
    Case(
      fixture: "social-observability.audit_prepare", measured: ["chars": .integer(168)],
      lines: ["social-observability": 1]),
    Case(
      fixture: "social-observability.audit_launch", quantities: ["messages": .integer(19)],
      measured: ["messages": .integer(19)], lines: ["social-observability": 152]),
    Case(
      fixture: "personas.generate", measured: ["count": .integer(12), "grounding": .choice("off")],
      lines: ["personas": 1_020]),
    Case(
      fixture: "personas.generate.research", operation: "personas.generate",
      measured: ["count": .integer(1), "grounding": .choice("research")], lines: ["personas": 510]),
    Case(
      fixture: "personas.enhance", measured: ["grounding": .choice("web")],
      lines: ["personas": 120]),
    Case(fixture: "personas.validate", measured: ["personas": .integer(2)], lines: ["personas": 4]),
  ]

  @Test(arguments: cases)
  func aRealRequestCostsWhatTheTableSays(example: Case) throws {
    let quote = try exampleBook().quote(
      example.operation ?? example.fixture, input: fixture(example.fixture),
      quantities: example.quantities)
    #expect(quote.quantities.values == example.measured)
    let lines = Dictionary(uniqueKeysWithValues: quote.lines.map { ($0.component, $0.credits) })
    #expect(lines == example.lines)
    #expect(quote.price == example.lines.values.reduce(0, +))
  }

  @Test(arguments: [
    ("turn-taking.submit_messages", "chars", 0, 1),
    ("turn-taking.submit_messages", "chars", 2_001, 2),
    ("turn-taking.respond", "chars", 2_001, 6), ("theoryofmind.foresee", "chars", 4_000, 4),
    ("theoryofmind.foresee", "chars", 4_001, 5), ("social-observability.analyze", "chars", 501, 12),
    ("social-observability.audit_prepare", "chars", 300_000, 100),
    ("personas.generate", "count", 200, 17_000), ("personas.validate", "personas", 7, 14),
    ("social-observability.audit_launch", "messages", 0, 0),
  ])
  func aPriceStepsWhereTheTableSays(
    operation: String, quantity: String, value: Int64, expected: Int64
  ) throws {
    let stored = Quantities(["messages": .integer(1), "grounding": .choice("off")])
    let quote = try exampleBook().quote(
      operation, replacing: stored, with: [quantity: .integer(value)])
    #expect(quote.price == expected)
  }

  @Test func aLargeTranscriptCosts217() throws {
    let book = try exampleBook()
    let quote = try book.quote(
      "social-learning.extract", input: nil,
      quantities: ["chars": .integer(50_750), "messages": .integer(400)])
    #expect(quote.price == 217)
  }

  @Test(arguments: ["count\": 0", "count\": 201", "grounding\": \"all"])
  func theBoundsOfGenerateHold(member: String) throws {
    let text = member.contains("grounding") ? "{\"\(member)\"}" : "{\"\(member)}"
    #expect(throws: PricingError.self) {
      try exampleBook().quote("personas.generate", input: json(text))
    }
  }

  @Test(arguments: [
    "open_thread", "record_event", "social-memory.ingest", "usage-summary", "whoami",
  ])
  func aReadIsFree(operation: String) throws {
    let quote = try exampleBook().quote(operation, input: .object([:]))
    #expect(quote.isFree && quote.lines.isEmpty)
  }
}
