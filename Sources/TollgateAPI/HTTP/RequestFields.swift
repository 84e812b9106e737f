import Tollgate

/// Reads the fields of a request's JSON object and collects what is wrong with their form, so that
/// one 422 names all of it. Keys that nobody reads are ignored.
struct RequestFields {
  let body: JSON
  private let object: [String: JSON]
  private var problems: [JSON] = []

  init(_ body: JSON) throws(APIError) {
    guard case .object(let object) = body else {
      throw Self.error([Self.problem([], "Input should be an object", "object_type")])
    }
    self.body = body
    self.object = object
  }

  /// Throws the 422 when a field read so far was wrong.
  func validate() throws(APIError) {
    if !problems.isEmpty { throw Self.error(problems) }
  }

  mutating func reject(_ field: String, _ message: String, _ type: String) {
    problems.append(Self.problem([.string(field)], message, type))
  }

  /// An optional field; null counts as absent.
  subscript(field: String) -> JSON? {
    guard let value = object[field], value != .null else { return nil }
    return value
  }

  /// The body without some of its fields.
  func body(without fields: Set<String>) -> JSON {
    .object(object.filter { !fields.contains($0.key) })
  }
}

extension RequestFields {
  mutating func required<T>(
    _ field: String, _ read: (inout RequestFields, String) -> T?
  ) -> T? {
    if self[field] == nil { reject(field, "Field required", "missing") }
    return read(&self, field)
  }

  mutating func string(_ field: String) -> String? {
    guard let value = self[field] else { return nil }
    if case .string(let text) = value { return text }
    reject(field, "Input should be a valid string", "string_type")
    return nil
  }

  /// `[A-Za-z0-9_.:-]{1,128}`: what PostgreSQL and Swift compare alike.
  mutating func identifier(_ field: String) -> String? {
    guard let text = string(field) else { return nil }
    if Identifier.isValid(text) { return text }
    reject(field, Identifier.rule, "string_pattern_mismatch")
    return nil
  }

  mutating func bool(_ field: String) -> Bool? {
    guard let value = self[field] else { return nil }
    if case .bool(let flag) = value { return flag }
    reject(field, "Input should be a valid boolean", "bool_type")
    return nil
  }

  mutating func integer(_ field: String, in range: ClosedRange<Int64>) -> Int64? {
    guard let value = self[field] else { return nil }
    guard case .integer(let number) = value else {
      reject(field, "Input should be a valid integer", "int_type")
      return nil
    }
    if range.contains(number) { return number }
    reject(
      field, "Input should be between \(range.lowerBound) and \(range.upperBound)", "int_range")
    return nil
  }

  mutating func object(_ field: String, members limit: Int = .max) -> [String: JSON]? {
    guard let value = self[field] else { return nil }
    guard case .object(let object) = value else {
      reject(field, "Input should be an object", "object_type")
      return nil
    }
    if object.count <= limit { return object }
    reject(field, "Input should have at most \(limit) members", "too_long")
    return nil
  }

  /// Name → what to price; as many as an operation of a price book can have.
  mutating func quantities(_ field: String) -> [String: JSON]? {
    object(field, members: BookLimits.quantities)
  }

  /// Component → credits; as many as an operation of a price book can have.
  mutating func credits(_ field: String, upTo limit: Int64 = .max) -> [String: Int64]? {
    guard let object = object(field, members: BookLimits.lines) else { return nil }
    var credits: [String: Int64] = [:]
    for (component, value) in object.sorted(by: { $0.key < $1.key }) {
      let loc: [JSON] = [.string(field), .string(component)]
      if !Identifier.isValid(component) {
        problems.append(Self.problem(loc, Identifier.rule, "string_pattern_mismatch"))
      } else if case .integer(let number) = value, (0...limit).contains(number) {
        credits[component] = number
      } else {
        problems.append(
          Self.problem(loc, "Input should be an integer between 0 and \(limit)", "int_range"))
      }
    }
    return credits
  }

  /// An object to be kept as it is, of a limited size in canonical JSON.
  mutating func document(_ field: String, bytes limit: Int) -> JSON? {
    guard let object = object(field) else { return nil }
    let document = JSON.object(object)
    if document.canonicalBytes.count > limit {
      reject(field, "Input should be at most \(limit) bytes", "too_long")
    } else if !document.isStorable {
      reject(field, "Input should have no NUL character and no number with an exponent", "value")
    }
    return document
  }
}

extension RequestFields {
  /// `loc` is a path into the body.
  static func problem(_ loc: [JSON], _ message: String, _ type: String) -> JSON {
    .object(["loc": .array(loc), "msg": .string(message), "type": .string(type)])
  }

  static func error(_ problems: [JSON]) -> APIError {
    APIError(
      .unprocessableContent, "validation_failed", "request validation failed", details: problems)
  }
}

/// The form of account ids, idempotency keys and names.
public enum Identifier {
  static let rule = "Input should match [A-Za-z0-9_.:-]{1,128}"

  public static func isValid(_ text: String) -> Bool {
    (1...128).contains(text.utf8.count) && text.utf8.allSatisfy(isAllowed)
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "_.:-".utf8.contains(byte)
    }
  }
}

extension JSON {
  /// Whether PostgreSQL's jsonb keeps it: it has no NUL character, and its numbers end somewhere.
  /// A few bytes of exponent would also unfold to 100,000 digits.
  fileprivate var isStorable: Bool {
    switch self {
    case .null, .bool, .integer: true
    case .number(let text):
      !text.utf8.contains { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }
    case .string(let text): !text.utf8.contains(0)
    case .array(let elements): elements.allSatisfy(\.isStorable)
    case .object(let members):
      members.allSatisfy { !$0.key.utf8.contains(0) && $0.value.isStorable }
    }
  }
}
