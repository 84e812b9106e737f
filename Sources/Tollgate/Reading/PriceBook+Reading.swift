extension PriceBook {
  /// Reads and checks a price book. Throws with every problem and its place; unknown keys are
  /// problems too, because a misspelt rule must not silently price as if it were not there.
  public init(json: JSON) throws(PriceBookError) {
    var reader = BookReader()
    let root = reader.fields(BookNode(json: json, path: BookPath()), keys: ["operations"])
    let operations = reader.required("operations", of: root)
    var read: [String: Operation] = [:]
    for (name, node) in reader.named(operations, atMost: BookLimits.operations) {
      read[name] = Operation(name, node, &reader)
    }
    guard reader.problems.isEmpty else { throw PriceBookError(problems: reader.problems) }
    self.operations = read
  }
}

extension Operation {
  fileprivate init(_ name: String, _ node: BookNode, _ reader: inout BookReader) {
    let fields = reader.fields(node, keys: ["quantities", "free_when", "lines", "repeat_seconds"])
    var quantities: [String: Quantity] = [:]
    for (name, node) in reader.named(fields["quantities"], atMost: BookLimits.quantities) {
      quantities[name] = Quantity(name, node, &reader)
    }
    self.name = name
    self.quantities = quantities
    self.freeWhen = reader.list(fields["free_when"], 0...BookLimits.conditions).map {
      Condition($0, &reader)
    }
    let lines = reader.required("lines", of: fields)
    self.lines = reader.list(lines, 0...BookLimits.lines).map { LineRule($0, quantities, &reader) }
    repeatSeconds = fields["repeat_seconds"].map {
      Int32(reader.integer($0, in: BookLimits.repeatSeconds))
    }
    Self.refuseRepeats(self.lines, lines?.path, &reader)
  }

  /// A reservation knows its lines by component.
  private static func refuseRepeats(
    _ lines: [LineRule], _ path: BookPath?, _ reader: inout BookReader
  ) {
    var seen: Set<String> = []
    for (index, line) in lines.enumerated() where !seen.insert(line.component).inserted {
      if let path { reader.report(path[index]["component"], "repeats an earlier line") }
    }
  }
}

extension Condition {
  fileprivate init(_ node: BookNode, _ reader: inout BookReader) {
    let fields = reader.fields(node, keys: ["path", "equals"])
    path = reader.required("path", of: fields).map { reader.path($0) } ?? InputPath(steps: [])
    let equals = reader.required("equals", of: fields)
    value = equals?.json ?? .null
    guard let equals else { return }
    switch equals.json {
    case .bool, .integer, .string: break
    default: reader.report(equals.path, "must be true, false, a whole number or a string")
    }
  }
}
