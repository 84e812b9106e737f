import ArgumentParser
import TollgateAPI
import TollgateStore

struct KeyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "key", abstract: "API keys of services, administrators and account holders.",
    subcommands: [Create.self, List.self, Revoke.self])

  enum Role: String, ExpressibleByArgument, CaseIterable {
    case admin, service, account
  }

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Create a key and print it, once; only its hash is stored.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var tenant: TenantOption

    @Option(help: "Who the key is for; account when --account is given.")
    var role: Role?

    @Option(help: "The account of an account key.")
    var account: String?

    @Option(help: "The name of the service or administrator, kept with all it does.")
    var name: String?

    func run() async throws {
      let role = try principalRole()
      let name = name ?? account ?? self.role?.rawValue ?? "account"
      guard Identifier.isValid(name) else {
        throw ValidationError("--name matches [A-Za-z0-9_.:-]{1,128}")
      }
      let administration = try await Administration(common)
      let tenant = try await tenant.find(administration)
      let key = NewKey(role: role)
      _ = try await administration.createKey(key, tenant: tenant, role: role, name: name)
      print(key.text)
    }

    private func principalRole() throws -> Principal.Role {
      switch (role, account) {
      case (.admin, nil): return .admin
      case (.service, nil): return .service
      case (nil, let account?), (.account, let account?):
        guard Identifier.isValid(account) else {
          throw ValidationError("--account matches [A-Za-z0-9_.:-]{1,128}")
        }
        return .account(account)
      default: throw ValidationError("give --role service, --role admin or --account ID")
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List a tenant's keys.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var tenant: TenantOption

    func run() async throws {
      let administration = try await Administration(common)
      for key in try await administration.keys(of: tenant.find(administration)) {
        let state = key.revokedAt == nil ? "valid" : "revoked"
        print("\(key.id)\t\(key.role)\t\(key.name)\t\(key.account ?? "")\t\(state)")
      }
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Revoke a key; workers stop honouring it within a second.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var tenant: TenantOption

    @Argument(help: "The key's number, as listed.")
    var number: Int32

    func run() async throws {
      let administration = try await Administration(common)
      let tenant = try await tenant.find(administration)
      guard try await administration.revokeKey(number, tenant: tenant) else {
        throw ValidationError("the tenant has no valid key \(number)")
      }
      print("key \(number) is revoked")
    }
  }
}
