/// A limit on everything a price book holds, and so on what a request can name of it.
public enum BookLimits {
  static let operations = 1_000
  public static let quantities = 32
  static let paths = 16
  static let choices = 64
  static let conditions = 16
  public static let lines = 16
  static let rates = 16
  static let amounts = 8
  static let tiers = 32
  static let factors = 16
  /// At most a day, so that it fits 32 bits and the search for the first request stays short.
  static let repeatSeconds: ClosedRange<Int64> = 1...86_400

  /// What a number of the book may be: credits, amounts, the parts of a fraction.
  static let largest: Int64 = 1_000_000_000_000
  static let constants = 0...largest
  static let positive = 1...largest

  static let nameRule = "a name has 1 to 128 of the characters A-Z a-z 0-9 _ . : -"
}

extension String {
  /// Whether this can name an operation, a quantity or a component.
  var isBookName: Bool {
    1...128 ~= utf8.count && utf8.allSatisfy { $0.isWordByte || ".:-".utf8.contains($0) }
  }
}

extension UInt8 {
  var isWordByte: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
