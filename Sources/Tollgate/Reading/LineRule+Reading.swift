extension LineRule {
  /// The most that the factors of a line may multiply to, and divide by: together with a sum that
  /// fits 128 bits they never overflow by themselves.
  static let largestScale = Int128(BookLimits.largest)

  init(_ node: BookNode, _ quantities: [String: Quantity], _ reader: inout BookReader) {
    let fields = reader.fields(
      node, keys: ["component", "base", "rates", "factors", "minimum", "maximum"])
    component = reader.name(fields)
    base = fields["base"].map { reader.integer($0) } ?? 0
    rates = reader.list(fields["rates"], 0...BookLimits.rates).map {
      Rate($0, quantities, &reader)
    }
    factors = reader.list(fields["factors"], 0...BookLimits.factors).map {
      Factor($0, quantities, &reader)
    }
    minimum = fields["minimum"].map { reader.integer($0) } ?? 0
    let least = minimum
    maximum = fields["maximum"].map { reader.integer($0, in: least...BookLimits.largest) }
    checkScale(fields, &reader)
  }

  private func checkScale(_ fields: BookFields, _ reader: inout BookReader) {
    for part in [\Fraction.numerator, \.denominator] {
      let largest = factors.map { $0.values.values.map { $0[keyPath: part] }.max() ?? 1 }
      let scale = largest.reduce(Int128(1)) { $0 > Self.largestScale ? $0 : $0 * Int128($1) }
      guard scale > Self.largestScale else { continue }
      reader.report(fields.path["factors"], "multiply to more than \(Self.largestScale)")
      return
    }
  }
}

extension Factor {
  fileprivate init(
    _ node: BookNode, _ quantities: [String: Quantity], _ reader: inout BookReader
  ) {
    let fields = reader.fields(node, keys: ["by", "values"])
    let by = reader.required("by", of: fields)
    self.by = by.map { reader.string($0) } ?? ""
    let entries = reader.required("values", of: fields).map { reader.values($0) } ?? [:]
    values = entries
    guard case .choice(let choices) = quantities[self.by]?.measure else {
      if let by { reader.report(by.path, "must name a choice of this operation") }
      return
    }
    let path = fields.path["values"]
    for choice in choices where entries[choice] == nil {
      reader.report(path[choice], "missing")
    }
    for value in entries.keys.sorted() where !choices.contains(value) {
      reader.report(path[value], "is not a choice of this quantity")
    }
  }
}

extension BookReader {
  fileprivate mutating func name(_ fields: BookFields) -> String {
    guard let node = required("component", of: fields) else { return "" }
    let name = string(node)
    if !name.isEmpty && !name.isBookName { report(node.path, BookLimits.nameRule) }
    return name
  }

  fileprivate mutating func values(_ node: BookNode) -> [String: Fraction] {
    guard case .object(let members) = node.json, members.count <= BookLimits.choices else {
      report(node.path, "must be an object with a multiplier for each choice")
      return [:]
    }
    var values: [String: Fraction] = [:]
    for (choice, json) in members.sorted(by: { $0.key < $1.key }) {
      values[choice] = fraction(BookNode(json: json, path: node.path[choice]))
    }
    return values
  }

  private mutating func fraction(_ node: BookNode) -> Fraction {
    guard let fraction = Fraction(node.json) else {
      report(
        node.path,
        "must be a whole number or a fraction like \"3/2\", of numbers up to \(BookLimits.largest)")
      return Fraction(numerator: 1, denominator: 1)
    }
    return fraction
  }
}

extension Fraction {
  fileprivate init?(_ json: JSON) {
    switch json {
    case .integer(let integer) where BookLimits.constants.contains(integer):
      self.init(numerator: integer, denominator: 1)
    case .string(let text):
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy(\.isDigit) }),
        let numerator = Int64(parts[0]), BookLimits.constants.contains(numerator),
        let denominator = Int64(parts[1]), BookLimits.positive.contains(denominator)
      else { return nil }
      self.init(numerator: numerator, denominator: denominator)
    default:
      return nil
    }
  }
}

extension UInt8 {
  fileprivate var isDigit: Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= self }
}
