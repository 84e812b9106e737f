import Foundation
import Testing

@testable import PrivatePostgres

@Suite(.serialized, .timeLimit(.minutes(2)))
struct ErrorTests {
  @Test("without server programs the error says what to install, and nothing is created")
  func noBinaries() async throws {
    try await withSandbox { sandbox in
      var settings = sandbox.settings
      settings.binaryFolders = ["/nowhere"]
      let error = await failure(of: settings, in: sandbox)
      #expect(error?.code == .noBinaries)
      #expect(error?.description.contains("Install the package `postgresql`") == true)
      #expect(!FileManager.default.fileExists(atPath: settings.folder))
    }
  }

  @Test("a folder with other files is left alone")
  func foreignFolder() async throws {
    try await withSandbox { sandbox in
      var settings = sandbox.settings
      try Data().write(to: URL(fileURLWithPath: "\(sandbox.folder)/diary"))
      settings.folder = sandbox.folder
      #expect(await failure(of: settings, in: sandbox)?.code == .foreignFolder)
      let attributes = try FileManager.default.attributesOfItem(atPath: sandbox.folder)
      #expect(attributes[.posixPermissions] as? Int == 0o755)
    }
  }

  @Test("a folder in use is not shared, and becomes free with a stop")
  func folderInUse() async throws {
    try await withSandbox { sandbox in
      let server = try await sandbox.start()
      let error = await failure(of: sandbox.settings, in: sandbox)
      #expect(error?.code == .folderInUse)
      #expect(error?.reason.contains("Process \(getpid()) uses") == true)
      try await server.stop()
      #expect(await failure(of: sandbox.settings, in: sandbox) == nil)
    }
  }

  @Test("a server that does not start shows the end of its log")
  func startFailed() async throws {
    try await withSandbox { sandbox in
      var settings = sandbox.settings
      settings.serverSettings["no_such_setting"] = "1"
      let error = await failure(of: settings, in: sandbox)
      #expect(error?.code == .startFailed)
      #expect(error?.details.contains("no_such_setting") == true)
    }
  }

  @Test("data of another major version is named")
  func wrongVersion() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start().stop()
      let folder = ServerFolder(path: sandbox.settings.folder)
      try "9\n".write(toFile: "\(folder.data)/PG_VERSION", atomically: false, encoding: .utf8)
      let error = await failure(of: sandbox.settings, in: sandbox)
      #expect(error?.code == .wrongVersion)
      #expect(error?.advice.contains("postgresql-9") == true)
    }
  }

  @Test("a lost password is an error, not a new password")
  func lostPassword() async throws {
    try await withSandbox { sandbox in
      try await sandbox.start().stop()
      let folder = ServerFolder(path: sandbox.settings.folder)
      folder.remove(folder.passwordFile)
      #expect(await failure(of: sandbox.settings, in: sandbox)?.code == .foreignFolder)
    }
  }

  @Test("urls escape what is not plain")
  func url() async throws {
    try await withSandbox { sandbox in
      let server = try await sandbox.start()
      let url = server.url(user: "a@b", password: "p:/w", database: "x y")
      #expect(url == "postgresql://a%40b:p%3A%2Fw@127.0.0.1:\(server.port)/x%20y")
    }
  }

  private func failure(
    of settings: PrivatePostgres.Settings, in sandbox: Sandbox
  ) async -> PrivatePostgresError? {
    do {
      _ = try await sandbox.start(settings)
      return nil
    } catch {
      return error as? PrivatePostgresError
    }
  }
}
