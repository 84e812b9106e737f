import ArgumentParser
import Foundation
import Tollgate
import TollgateAPI
import TollgateStore

struct TenantCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tenant", abstract: "The API companies that Tollgate serves.",
    subcommands: [Create.self, List.self, SessionKeysCommand.self])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Create a tenant.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "[A-Za-z0-9_.:-]{1,128}")
    var name: String

    @Option(help: "Credits a new account starts with.")
    var initialAllowance: Int64 = 0

    @Option(help: "Where account holders buy credits; shown in the 402.")
    var topUpURL: String?

    @Option(help: "Seconds after its deadline in which an expired hold may still be captured.")
    var graceSeconds: Int32 = 300

    func validate() throws {
      guard Identifier.isValid(name) else {
        throw ValidationError("a tenant's name matches [A-Za-z0-9_.:-]{1,128}")
      }
      guard (0...PriceLine.largest).contains(initialAllowance) else {
        throw ValidationError("--initial-allowance is from 0 to \(PriceLine.largest)")
      }
      guard (0...86_400).contains(graceSeconds) else {
        throw ValidationError("--grace-seconds is from 0 to 86400")
      }
    }

    func run() async throws {
      let administration = try await Administration(common)
      let id = try await administration.createTenant(
        name, initialAllowance: initialAllowance, topUpURL: topUpURL, graceSeconds: graceSeconds)
      print("tenant \(name) is number \(id)")
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the tenants.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
      for tenant in try await Administration(common).tenants() {
        let book = tenant.activePriceBook.map { "price book \($0)" } ?? "no price book"
        print("\(tenant.id)\t\(tenant.name)\t\(tenant.initialAllowance) credits\t\(book)")
      }
    }
  }
}

extension TenantCommand {
  struct SessionKeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "session-keys",
      abstract: "Set the public keys that prove sessions of a tenant's account holders.",
      discussion: "A session is a JWT with iss (the tenant), sub (the account) and exp.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The tenant's name.")
    var name: String

    @Option(help: "A JSON file with a JWK set of public keys; without it no session is accepted.")
    var jwks: String?

    func run() async throws {
      let keys = try jwks.map { try String(contentsOfFile: $0, encoding: .utf8) }
      if let keys {
        do { try await SessionKeys.validate(keys) } catch { throw ValidationError("\(error)") }
      }
      let administration = try await Administration(common)
      let tenant = try await TenantOption.find(name, administration)
      try await administration.setSessionKeys(keys, tenant: tenant)
      print("sessions of \(name) are \(keys == nil ? "not accepted" : "proved by the new keys")")
    }
  }
}

/// Names the tenant of a command.
struct TenantOption: ParsableArguments {
  @Option(help: "The tenant's name; not needed while there is only one.")
  var tenant: String?

  func find(_ administration: Administration) async throws -> TenantID {
    if let tenant { return try await Self.find(tenant, administration) }
    let tenants = try await administration.tenants()
    guard let only = tenants.first, tenants.count == 1 else {
      throw ValidationError("there are \(tenants.count) tenants: give --tenant NAME")
    }
    return only.id
  }

  static func find(_ name: String, _ administration: Administration) async throws -> TenantID {
    let tenants = try await administration.tenants()
    guard let found = tenants.first(where: { $0.name == name }) else {
      throw ValidationError("there is no tenant \(name)")
    }
    return found.id
  }
}

extension Administration {
  init(_ options: CommonOptions) async throws {
    let settings = try await Settings(options)
    self.init(url: try settings.databaseURL, logger: settings.logger)
  }
}
