import ArgumentParser
import Foundation
import Tollgate
import TollgateAPI
import TollgateStore

struct AccountCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "account", abstract: "Look at an account, grant, adjust, set its limit.",
    subcommands: [Show.self, Grant.self, Adjust.self, Limit.self])

  /// Names the account of a command.
  struct AccountArgument: ParsableArguments {
    @OptionGroup var common: CommonOptions
    @OptionGroup var tenant: TenantOption

    @Argument(help: "The tenant's own id of the account.")
    var account: String

    func find() async throws -> (Administration, AccountReference) {
      guard Identifier.isValid(account) else {
        throw ValidationError("an account's id matches [A-Za-z0-9_.:-]{1,128}")
      }
      let administration = try await Administration(common)
      let tenant = try await tenant.find(administration)
      return (administration, AccountReference(tenant: tenant, name: account))
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print an account's balance.")

    @OptionGroup var account: AccountArgument

    func run() async throws {
      let (administration, account) = try await account.find()
      let balance = try await administration.balance(of: account)
      print("balance\t\(balance.balance)")
      print("reserved\t\(balance.reserved)")
      print("credit limit\t\(balance.creditLimit)")
      print("available\t\(balance.available)")
      print("initial allowance\t\(balance.isAllowanceGranted ? "granted" : "not granted yet")")
    }
  }

  /// What is put in, and why.
  struct Posting: ParsableArguments {
    @Argument(help: "Credits.")
    var credits: Int64

    @Option(help: "Why, for the books.")
    var reason: String

    @Option(help: "Makes a repeat harmless.")
    var idempotencyKey: String?

    func post(_ account: AccountArgument, as kind: GrantCommand.Kind) async throws {
      guard credits != 0, (-PriceLine.largest...PriceLine.largest).contains(credits) else {
        throw ValidationError("credits are from 1 to \(PriceLine.largest)")
      }
      let (administration, account) = try await account.find()
      let body = JSON.object(["credits": .integer(credits), "reason": .string(reason)])
      let outcome = try await administration.grant(
        GrantCommand(
          account: account, key: idempotencyKey.map { KeyScope.grant.derive($0) } ?? .random(),
          fingerprint: Fingerprint(body, parts: "cli", kind.rawValue), kind: kind,
          amount: credits, reason: reason, service: "cli"))
      guard case .granted(let amount, let balance, _, _) = outcome else {
        throw ValidationError("not posted: \(outcome)")
      }
      print("posted \(amount), the balance is \(balance)")
    }
  }

  struct Grant: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Put purchased credits in.")

    @OptionGroup var account: AccountArgument
    @OptionGroup var posting: Posting

    func validate() throws {
      if posting.credits < 1 { throw ValidationError("a grant is positive; see adjust") }
    }

    func run() async throws { try await posting.post(account, as: .purchase) }
  }

  struct Adjust: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Correct a balance, up or down (write -- before a negative number).")

    @OptionGroup var account: AccountArgument
    @OptionGroup var posting: Posting

    func run() async throws { try await posting.post(account, as: .adjustment) }
  }

  struct Limit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Set how far below zero the account may go.")

    @OptionGroup var account: AccountArgument

    @Argument(help: "Credits.")
    var limit: Int64

    func run() async throws {
      guard (0...PriceLine.largest).contains(limit) else {
        throw ValidationError("the limit is from 0 to \(PriceLine.largest)")
      }
      let (administration, account) = try await account.find()
      try await administration.setCreditLimit(limit, of: account)
      print("the credit limit is \(limit)")
    }
  }
}
