extension Quantity {
  init(_ name: String, _ node: BookNode, _ reader: inout BookReader) {
    let word = Self.measureWord(of: node, &reader)
    let fields = reader.fields(node, keys: Self.keys[word] ?? Self.allKeys)
    self.name = name
    range = reader.range(fields)
    from = reader.list(fields["from"], 1...BookLimits.paths).map { reader.path($0) }
    switch word {
    case "choice":
      let choices = reader.choices(fields)
      measure = .choice(choices)
      fallback = fields["default"].map { .choice(reader.word($0, of: choices)) }
      reader.checkSingle(from, fields)
    case "integer":
      measure = .integer
      let range = range
      fallback = fields["default"].map { .integer(reader.integer($0, in: range)) }
    default:
      measure = Self.counts[word] ?? .elements
      fallback = nil
      if from.isEmpty && !word.isEmpty { _ = reader.required("from", of: fields) }
    }
  }

  private static let counts: [String: Measure] = [
    "characters": .characters, "bytes": .bytes, "elements": .elements,
  ]

  private static let counted: Set = ["from", "measure", "minimum", "maximum"]
  private static let allKeys = counted.union(["choices", "default"])
  private static let keys: [String: Set<String>] = [
    "characters": counted, "bytes": counted, "elements": counted,
    "integer": counted.union(["default"]),
    "choice": ["from", "measure", "choices", "default"],
  ]

  private static func measureWord(of node: BookNode, _ reader: inout BookReader) -> String {
    // Read first: it decides which other keys there may be.
    guard case .object(let members) = node.json else { return "" }
    let fields = BookFields(members: members, path: node.path)
    return reader.required("measure", of: fields).map {
      reader.word($0, of: ["characters", "bytes", "elements", "integer", "choice"])
    } ?? ""
  }
}

extension BookReader {
  mutating func path(_ node: BookNode) -> InputPath {
    let text = string(node)
    guard let path = InputPath(text) else {
      if !text.isEmpty { report(node.path, "must be a path like messages[*].text") }
      return InputPath(steps: [])
    }
    return path
  }

  fileprivate mutating func range(_ fields: BookFields) -> ClosedRange<Int64> {
    let minimum = fields["minimum"].map { integer($0) } ?? 0
    guard let maximum = fields["maximum"] else { return minimum...Int64.max }
    return minimum...integer(maximum, in: minimum...BookLimits.largest)
  }

  fileprivate mutating func choices(_ fields: BookFields) -> [String] {
    let nodes = list(required("choices", of: fields), 1...BookLimits.choices)
    var choices: [String] = []
    for node in nodes {
      let choice = string(node)
      if choices.contains(choice) { report(node.path, "repeats an earlier choice") }
      choices.append(choice)
    }
    return choices
  }

  /// A choice has one value, so it needs one place.
  fileprivate mutating func checkSingle(_ from: [InputPath], _ fields: BookFields) {
    guard !from.isEmpty, from.count > 1 || !from[0].isSingle else { return }
    report(fields.path["from"], "a choice has one path, without [*]")
  }
}
