import Foundation

/// What a test did, for the summary of `make torture`; kept only when that is what runs.
public struct TortureReport: Codable, Sendable {
  /// Names the file: several reports of one part are added up.
  public var part: String
  public var seed: UInt64?
  public var operations = 0
  /// How many faults there were, by kind.
  public var faults: [String: Int] = [:]
  /// How many actions were answered and found done once, by kind.
  public var successes: [String: Int] = [:]
  public var recoverySeconds: [Double] = []
  /// Lines of a table, in Markdown.
  public var table: [String] = []

  public init(part: String) { self.part = part }

  /// Adds itself as one line to `<part>.json` in the folder that TOLLGATE_TORTURE names.
  public func write() throws {
    guard let folder = ProcessInfo.processInfo.environment["TOLLGATE_TORTURE"] else { return }
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let line = try encoder.encode(self) + Data("\n".utf8)
    let descriptor = open("\(folder)/\(part).json", O_WRONLY | O_CREAT | O_APPEND, 0o644)
    guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    // Whole in one write, for tests that run at the same time write into one file.
    try file.write(contentsOf: line)
  }
}

/// A whole number in the environment, which asks a test for more than it usually does.
public func environmentNumber(_ name: String) -> Int? {
  ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
}
