@testable import Tollgate

/// A price rule as plain data, and its price found the slow way: unit by unit, tier by tier.
/// Written without a look at the real one, so that the two can check each other.
struct SlowLine {
  struct Tier {
    var upTo: Int?
    var credits: Int
    var unit: Int
  }

  struct Rate {
    var of: [String]
    var included: Int
    var mode: String?
    var tiers: [Tier]
  }

  var base: Int
  var rates: [Rate]
  /// Per factor: numerator and denominator for each choice.
  var factors: [[String: (Int, Int)]]
  var minimum: Int
  var maximum: Int?
}

extension SlowLine {
  func price(_ integers: [String: Int], choice: String) -> Int {
    var top = base
    for rate in rates { top += rate.price(integers) }
    var bottom = 1
    for factor in factors {
      top *= factor[choice]!.0
      bottom *= factor[choice]!.1
    }
    var price = top / bottom
    while price * bottom < top { price += 1 }
    if price < minimum { price = minimum }
    if let maximum, price > maximum { price = maximum }
    return price
  }
}

extension SlowLine.Rate {
  func price(_ integers: [String: Int]) -> Int {
    var amount = 1
    for name in of { amount *= integers[name]! }
    amount -= min(included, amount)
    return mode == "volume" ? dearestVolume(upTo: amount) : unitByUnit(amount)
  }

  /// The tier that the `position`th unit falls into, and where that tier starts.
  private func tier(at position: Int) -> (tier: SlowLine.Tier, start: Int) {
    var start = 0
    for tier in tiers {
      guard let end = tier.upTo, position > end else { return (tier, start) }
      start = end
    }
    fatalError("the last tier has no end")
  }

  private func unitByUnit(_ amount: Int) -> Int {
    var price = 0
    var position = 1
    while position <= amount {
      let (tier, start) = tier(at: position)
      if (position - start - 1) % tier.unit == 0 { price += tier.credits }
      position += 1
    }
    return price
  }

  /// What the dearest amount up to this one costs when all of it is priced at the tier it reaches.
  private func dearestVolume(upTo amount: Int) -> Int {
    var dearest = 0
    var size = 1
    while size <= amount {
      let tier = tier(at: size).tier
      var units = size / tier.unit
      if units * tier.unit < size { units += 1 }
      dearest = max(dearest, units * tier.credits)
      size += 1
    }
    return dearest
  }
}

extension SlowLine {
  var json: JSON {
    var members: [String: JSON] = [
      "component": "c".json, "base": base.json, "minimum": minimum.json,
      "rates": .array(rates.map(\.json)),
      "factors": .array(
        factors.map { values in
          .object([
            "by": "g".json, "values": .object(values.mapValues { "\($0.0)/\($0.1)".json }),
          ])
        }),
    ]
    members["maximum"] = maximum?.json
    return .object(members)
  }
}

extension SlowLine.Rate {
  fileprivate var json: JSON {
    var members: [String: JSON] = [
      "of": .array(of.map(\.json)), "included": included.json,
    ]
    if let mode {
      members["mode"] = mode.json
      members["tiers"] = .array(tiers.map(\.json))
    } else {
      members["credits"] = tiers[0].credits.json
      members["unit"] = tiers[0].unit.json
    }
    return .object(members)
  }
}

extension SlowLine.Tier {
  fileprivate var json: JSON {
    var members: [String: JSON] = ["credits": credits.json, "unit": unit.json]
    members["up_to"] = upTo?.json
    return .object(members)
  }
}

extension Int {
  fileprivate var json: JSON { .integer(Int64(self)) }
}

extension String {
  fileprivate var json: JSON { .string(self) }
}
