import Foundation

/// The project's `sql` folder, which the command reads at run time.
public struct SQLFolder: Sendable {
  public struct File: Sendable {
    /// Without its extension.
    public let name: String
    public let text: String
  }

  public struct NotFound: Error, CustomStringConvertible {
    public let description: String
  }

  public let path: String

  /// The folder at `path`, or else the first of `./sql` and `../share/tollgate/sql` beside the
  /// command that holds the migrations.
  public init(_ path: String? = nil) throws(NotFound) {
    let command = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    let shared = command.deletingLastPathComponent()
      .appendingPathComponent("../share/tollgate/sql").standardized.path
    let candidates = path.map { [$0] } ?? ["sql", shared]
    let found = candidates.first { FileManager.default.fileExists(atPath: "\($0)/migrations") }
    guard let found else {
      throw NotFound(
        description: "no sql folder at \(candidates.joined(separator: ", ")); set TOLLGATE_SQL")
    }
    self.path = found
  }

  public func file(_ name: String) throws -> File { try read("\(path)/\(name).sql") }

  /// The files of a subfolder, by name.
  public func files(in folder: String) throws -> [File] {
    try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)")
      .filter { $0.hasSuffix(".sql") }
      .sorted()
      .map { try read("\(path)/\(folder)/\($0)") }
  }

  private func read(_ path: String) throws -> File {
    let url = URL(fileURLWithPath: path)
    return File(
      name: url.deletingPathExtension().lastPathComponent,
      text: try String(contentsOf: url, encoding: .utf8))
  }
}
