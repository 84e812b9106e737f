import ArgumentParser
import Tollgate
import TollgateAPI
import TollgateStore

struct TenantCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tenant", abstract: "The API companies that Tollgate serves.",
    subcommands: [Create.self, List.self])

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

/// Names the tenant of a command.
struct TenantOption: ParsableArguments {
  @Option(help: "The tenant's name.")
  var tenant: String

  func find(_ administration: Administration) async throws -> TenantID {
    let tenants = try await administration.tenants()
    guard let found = tenants.first(where: { $0.name == tenant }) else {
      throw ValidationError("there is no tenant \(tenant)")
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
