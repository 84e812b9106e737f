/// A path into a request body: `transcript.messages[*].text`.
struct InputPath: Sendable, Hashable {
  enum Step: Sendable, Hashable {
    case key(String)
    case each
  }

  let steps: [Step]
}

extension InputPath {
  static let mostSteps = 16

  /// Keys separated by dots, each followed by any number of `[*]`; only the first key may be left
  /// out, when the body itself is an array. Nil for anything else.
  init?(_ text: String) {
    var steps: [Step] = []
    for var part in text.split(separator: ".", omittingEmptySubsequences: false) {
      var stars = 0
      while part.hasSuffix("[*]") {
        part.removeLast(3)
        stars += 1
      }
      if !part.isEmpty { steps.append(.key(String(part))) }
      if part.contains(where: { "[]".contains($0) }) { return nil }
      if part.isEmpty && (stars == 0 || !steps.isEmpty) { return nil }
      steps += Array(repeating: .each, count: stars)
    }
    guard steps.count <= Self.mostSteps else { return nil }
    self.steps = steps
  }

  var isSingle: Bool { !steps.contains(.each) }

  /// Where this path leads in a request, for errors: `input.messages[2].text`. Without `indexes`
  /// the stars remain.
  func field(_ indexes: [Int] = []) -> String {
    var rest = indexes[...]
    return steps.reduce(into: "input") { text, step in
      switch step {
      case .key(let key): text += ".\(key)"
      case .each: text += "[\(rest.popFirst().map(String.init) ?? "*")]"
      }
    }
  }
}

extension InputPath {
  typealias Visitor = (_ node: JSON, _ indexes: [Int]) throws(PricingError) -> Void

  /// Visits every node the path leads to. Absent and null nodes are passed over.
  func visit(_ root: JSON, _ body: Visitor) throws(PricingError) {
    var indexes: [Int] = []
    try visit(root, 0, &indexes, body)
  }

  private func visit(
    _ node: JSON, _ depth: Int, _ indexes: inout [Int], _ body: Visitor
  ) throws(PricingError) {
    if case .null = node { return }
    guard depth < steps.count else { return try body(node, indexes) }
    switch (steps[depth], node) {
    case (.key(let key), .object(let members)):
      guard let member = members[key] else { return }
      try visit(member, depth + 1, &indexes, body)
    case (.each, .array(let elements)):
      indexes.append(0)
      for (index, element) in elements.enumerated() {
        indexes[indexes.count - 1] = index
        try visit(element, depth + 1, &indexes, body)
      }
      indexes.removeLast()
    case (let step, _):
      let reached = InputPath(steps: Array(steps.prefix(depth)))
      let type = step == .each ? "an array" : "an object"
      throw PricingError(field: reached.field(indexes), reason: .expected(type))
    }
  }

  /// Whether the path leads to `value` anywhere. What it cannot follow does not match.
  func leads(to value: JSON, in root: JSON) -> Bool {
    Self.leads(steps[...], to: value, in: root)
  }

  private static func leads(_ rest: ArraySlice<Step>, to value: JSON, in node: JSON) -> Bool {
    switch (rest.first, node) {
    case (nil, _):
      node == value
    case (.key(let key), .object(let members)):
      members[key].map { leads(rest.dropFirst(), to: value, in: $0) } ?? false
    case (.each, .array(let elements)):
      elements.contains { leads(rest.dropFirst(), to: value, in: $0) }
    default:
      false
    }
  }
}
