extension Rate {
  init(_ node: BookNode, _ quantities: [String: Quantity], _ reader: inout BookReader) {
    let isTiered = node.json["tiers"] != nil
    let keys: Set =
      isTiered ? ["of", "included", "mode", "tiers"] : ["of", "included", "credits", "unit"]
    let fields = reader.fields(node, keys: keys)
    of = reader.list(reader.required("of", of: fields), 1...BookLimits.amounts).map {
      reader.amount($0, quantities)
    }
    included = fields["included"].map { reader.integer($0) } ?? 0
    schedule = isTiered ? reader.tiered(fields) : .flat(reader.unitPrice(fields))
  }
}

extension BookReader {
  fileprivate mutating func amount(
    _ node: BookNode, _ quantities: [String: Quantity]
  ) -> String {
    let name = string(node)
    if quantities[name].map(\.isChoice) ?? true {
      report(node.path, "must name a quantity of this operation that is not a choice")
    }
    return name
  }

  fileprivate mutating func unitPrice(_ fields: BookFields) -> UnitPrice {
    UnitPrice(
      credits: required("credits", of: fields).map { integer($0) } ?? 0,
      unit: fields["unit"].map { integer($0, in: BookLimits.positive) } ?? 1)
  }

  fileprivate mutating func tiered(_ fields: BookFields) -> Rate.Schedule {
    let mode = required("mode", of: fields).map { word($0, of: ["graduated", "volume"]) }
    let nodes = list(fields["tiers"], 1...BookLimits.tiers)
    var tiers: [Tier] = []
    for (index, node) in nodes.enumerated() {
      let isLast = index == nodes.count - 1
      tiers.append(tier(node, after: tiers.last?.upTo ?? 0, isLast: isLast))
    }
    return mode == "volume" ? .volume(tiers) : .graduated(tiers)
  }

  /// Every amount needs a tier, so all but the last end, each above the one before.
  private mutating func tier(_ node: BookNode, after: Int64, isLast: Bool) -> Tier {
    let fields = fields(node, keys: ["up_to", "credits", "unit"])
    let price = unitPrice(fields)
    guard !isLast else {
      if let end = fields["up_to"] { report(end.path, "the last tier has no end") }
      return Tier(upTo: nil, price: price)
    }
    let end = required("up_to", of: fields).map { integer($0, in: BookLimits.positive) }
    if let end, end <= after { report(fields.path["up_to"], "must be above the tier before") }
    return Tier(upTo: end ?? after, price: price)
  }
}
