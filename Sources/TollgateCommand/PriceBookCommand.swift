import ArgumentParser
import Foundation
import Tollgate
import TollgateStore

struct PriceBookCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pricebook", abstract: "Versions of a tenant's prices.",
    subcommands: [Load.self, Activate.self, Show.self])

  struct Load: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Check a price book and store it as the next version, not yet active.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var tenant: TenantOption

    @Argument(help: "A JSON file, see docs/price-book.md.")
    var file: String

    @Flag(help: "Activate it at once.")
    var activate = false

    func run() async throws {
      let text = try PriceBookFile.read(file)
      let administration = try await Administration(common)
      let tenant = try await tenant.find(administration)
      let version = try await administration.loadPriceBook(text, tenant: tenant)
      if activate { _ = try await administration.activatePriceBook(version, tenant: tenant) }
      print("price book \(version) is \(activate ? "active" : "loaded")")
    }
  }

  struct Activate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Price new calls by this version; workers follow within a second.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var tenant: TenantOption

    @Argument var version: Int32

    func run() async throws {
      let administration = try await Administration(common)
      let tenant = try await tenant.find(administration)
      guard try await administration.activatePriceBook(version, tenant: tenant) else {
        throw ValidationError("there is no price book \(version)")
      }
      print("price book \(version) is active")
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print a version, or the active one.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var tenant: TenantOption

    @Argument var version: Int32?

    func run() async throws {
      let administration = try await Administration(common)
      let id = try await tenant.find(administration)
      let active = try await administration.tenants().first { $0.id == id }?.activePriceBook
      guard let version = version ?? active else {
        throw ValidationError("the tenant has no active price book")
      }
      guard let text = try await administration.priceBook(version, tenant: id) else {
        throw ValidationError("there is no price book \(version)")
      }
      print(text)
    }
  }
}

/// Reads and checks price book files.
enum PriceBookFile {
  /// The text of a file that holds a good price book; what is wrong with a bad one is said with
  /// its place.
  static func read(_ path: String) throws -> String {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    do {
      _ = try PriceBook(json: JSON(parsing: text.utf8))
    } catch {
      throw ValidationError("\(path) is not a price book:\n\(error)")
    }
    return text
  }
}
