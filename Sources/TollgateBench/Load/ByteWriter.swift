/// A buffer that is filled, sent and filled again without being allocated anew.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  mutating func clear() { bytes.removeAll(keepingCapacity: true) }

  mutating func write(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  mutating func write(_ more: [UInt8]) { bytes.append(contentsOf: more) }

  mutating func write(_ more: ArraySlice<UInt8>) { bytes.append(contentsOf: more) }

  /// In decimal; not negative.
  mutating func write(_ number: Int) {
    var divisor = 1
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
      divisor /= 10
    }
  }
}
