/// The measured quantities of one request, by name. A reservation stores them, so that it can be
/// priced again with some of them replaced.
public struct Quantities: Sendable, Hashable {
  public enum Value: Sendable, Hashable {
    case integer(Int64)
    case choice(String)
  }

  public var values: [String: Value]

  public init(_ values: [String: Value] = [:]) {
    self.values = values
  }
}

extension Quantities {
  /// Reads what `json` wrote; nil for anything else.
  public init?(json: JSON) {
    guard case .object(let members) = json else { return nil }
    self.init()
    for (name, value) in members {
      switch value {
      case .integer(let integer) where integer >= 0: values[name] = .integer(integer)
      case .string(let choice): values[name] = .choice(choice)
      default: return nil
      }
    }
  }

  /// `{"count": 12, "grounding": "web"}`
  public var json: JSON { .object(values.mapValues(\.json)) }

  /// The integer `name`; a name that is no integer counts as zero, which a valid book rules out.
  func integer(_ name: String) -> Int64 {
    if case .integer(let integer) = values[name] { integer } else { 0 }
  }
}

extension Quantities.Value {
  public var json: JSON {
    switch self {
    case .integer(let integer): .integer(integer)
    case .choice(let choice): .string(choice)
    }
  }
}
