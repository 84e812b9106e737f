/// The lexical rules of Prometheus' text format 0.0.4.
enum MetricText {
  static func line(_ name: String, _ labels: String, _ value: String) -> String {
    labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
  }

  /// A name has letters, digits and underscores only, and no digit first.
  static func name(_ label: String) -> String {
    let text = String(label.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    return text.first?.isNumber ?? true ? "_" + text : text
  }

  static func label(_ name: String, _ value: String) -> String {
    let escaped = value.map { character in
      switch character {
      case "\\": "\\\\"
      case "\"": "\\\""
      case "\n": "\\n"
      default: String(character)
      }
    }
    return "\(Self.name(name))=\"\(escaped.joined())\""
  }

  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return Int64(exactly: value).map { String($0) } ?? String(value)
  }
}
