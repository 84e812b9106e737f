/// Reads values of a price book's JSON. A bad value is reported with its place and reading goes on
/// with a stand-in, so that an author sees every problem at once.
struct BookReader {
  private(set) var problems: [PriceBookError.Problem] = []

  mutating func report(_ path: BookPath, _ reason: String) {
    guard problems.count < PriceBookError.mostProblems else { return }
    problems.append(.init(path: path.text, reason: reason))
  }
}

extension BookReader {
  /// An object with no other keys than these.
  mutating func fields(_ node: BookNode, keys: Set<String>) -> BookFields {
    let fields = fields(node)
    for key in fields.members.keys.sorted() where !keys.contains(key) {
      report(node.path[key], "unknown key")
    }
    return fields
  }

  /// An object whose keys are names, in their order.
  mutating func named(_ node: BookNode?, atMost limit: Int) -> [(name: String, node: BookNode)] {
    guard let node else { return [] }
    let fields = fields(node)
    if fields.members.count > limit { report(node.path, "must have at most \(limit) entries") }
    return fields.members.keys.sorted().prefix(limit).map { name in
      let path = node.path[name]
      if !name.isBookName { report(path, BookLimits.nameRule) }
      return (name, BookNode(json: fields.members[name] ?? .null, path: path))
    }
  }

  private mutating func fields(_ node: BookNode) -> BookFields {
    guard case .object(let members) = node.json else {
      report(node.path, "must be an object")
      return BookFields(members: [:], path: node.path)
    }
    return BookFields(members: members, path: node.path)
  }

  mutating func list(_ node: BookNode?, _ count: ClosedRange<Int>) -> [BookNode] {
    guard let node else { return [] }
    guard case .array(let elements) = node.json else {
      report(node.path, "must be a list")
      return []
    }
    if !count.contains(elements.count) {
      report(node.path, "must have \(count.lowerBound) to \(count.upperBound) entries")
    }
    return elements.prefix(count.upperBound).enumerated().map { index, json in
      BookNode(json: json, path: node.path[index])
    }
  }
}

extension BookReader {
  mutating func integer(
    _ node: BookNode, in range: ClosedRange<Int64> = BookLimits.constants
  ) -> Int64 {
    guard case .integer(let integer) = node.json, range.contains(integer) else {
      report(
        node.path, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
      return range.lowerBound
    }
    return integer
  }

  mutating func string(_ node: BookNode) -> String {
    guard case .string(let string) = node.json, 1...128 ~= string.utf8.count else {
      report(node.path, "must be a string of 1 to 128 bytes")
      return ""
    }
    return string
  }

  /// The entry of a fixed list of words.
  mutating func word(_ node: BookNode, of words: [String]) -> String {
    guard case .string(let word) = node.json, words.contains(word) else {
      report(node.path, "must be one of \(words.joined(separator: ", "))")
      return ""
    }
    return word
  }

  /// The member `key`; reported when absent.
  mutating func required(_ key: String, of fields: BookFields) -> BookNode? {
    let node = fields[key]
    if node == nil { report(fields.path[key], "missing") }
    return node
  }
}
