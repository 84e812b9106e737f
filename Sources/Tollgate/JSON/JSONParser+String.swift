extension JSONParser {
  mutating func string() throws(JSONError) -> String {
    position += 1
    let start = position
    skipPlainText()
    let text =
      current == UInt8(ascii: "\\")
      ? try escapedText(from: start) : try validated(bytes[start..<position], from: start)
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
      throw failure("unescaped control character in a string")
    }
    position += 1
    return text
  }

  /// Stops at the closing quote, a backslash, a control character or the end.
  private mutating func skipPlainText() {
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { return }
      position += 1
    }
  }

  private mutating func escapedText(from start: Int) throws(JSONError) -> String {
    var text = Array(bytes[start..<position])
    while current == UInt8(ascii: "\\") {
      position += 1
      try escape(into: &text)
      let plain = position
      skipPlainText()
      text.append(contentsOf: bytes[plain..<position])
    }
    return try validated(text[...], from: start)
  }

  private func validated(_ text: ArraySlice<UInt8>, from start: Int) throws(JSONError) -> String {
    // Most text is ASCII, for which decoding is quicker than the general validation.
    if text.allSatisfy({ $0 < 0x80 }) { return String(decoding: text, as: UTF8.self) }
    guard let string = String(validating: text, as: UTF8.self) else {
      throw JSONError(offset: start, reason: "a string is not valid UTF-8")
    }
    return string
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    let letter = current
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text.append(contentsOf: String(try escapedScalar()).utf8)
    default:
      position = min(position - 1, bytes.count)
      throw failure("unknown escape")
    }
  }

  private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
    let start = position
    var code = try fourHexDigits()
    if 0xD800..<0xDC00 ~= code {
      let low = try lowSurrogate()
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else {
      throw JSONError(offset: start, reason: "unpaired surrogate")
    }
    return scalar
  }

  private mutating func lowSurrogate() throws(JSONError) -> UInt32 {
    let start = position
    guard bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else {
      throw failure("unpaired surrogate")
    }
    position += 2
    let code = try fourHexDigits()
    guard 0xDC00..<0xE000 ~= code else {
      throw JSONError(offset: start, reason: "unpaired surrogate")
    }
    return code
  }

  private mutating func fourHexDigits() throws(JSONError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = current.hexDigit else {
        throw failure("expected four hexadecimal digits")
      }
      code = code << 4 | digit
      position += 1
    }
    return code
  }
}

extension UInt8 {
  fileprivate var hexDigit: UInt32? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(self - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(self - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(self - UInt8(ascii: "A") + 10)
    default: nil
    }
  }
}
