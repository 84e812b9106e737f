import Foundation

extension Double {
  /// With about three digits that count, and commas between thousands.
  var short: String {
    let digits = abs(self) >= 100 ? 0 : abs(self) >= 10 ? 1 : 2
    let text = String(format: "%.\(digits)f", self)
    guard digits == 0 else {
      var trimmed = Substring(text)
      while trimmed.last == "0" { trimmed.removeLast() }
      return String(trimmed.last == "." ? trimmed.dropLast() : trimmed)
    }
    return text.withThousands
  }
}

extension String {
  fileprivate var withThousands: String {
    var result = ""
    for (index, digit) in reversed().enumerated() {
      if index > 0, index.isMultiple(of: 3), digit != "-" { result.append(",") }
      result.append(digit)
    }
    return String(result.reversed())
  }

  /// Filled up with blanks to a width.
  func padded(_ width: Int, right: Bool = false) -> String {
    let blanks = String(repeating: " ", count: max(0, width - count))
    return right ? blanks + self : self + blanks
  }
}
