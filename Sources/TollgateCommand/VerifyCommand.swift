import ArgumentParser
import Foundation
import Tollgate
import TollgateStore

struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Prove the ledger's promises by SQL; fails when one is broken.")

  @OptionGroup var common: CommonOptions

  @Flag(help: "Only the accounts that changed since the last run, if that was clean.")
  var incremental = false

  @Flag(help: "Print JSON for machines.")
  var json = false

  func run() async throws {
    let settings = try await Settings(common)
    let verifier = Verifier(
      url: try settings.databaseURL, folder: try settings.sqlFolder, logger: settings.logger)
    let run = try await cancelledBySignals {
      let line = ProgressLine()
      defer { line.end() }
      return try await verifier.run(incremental ? .incremental : .full) { line.show($0) }
    }
    if json { printJSON(run) } else { printSummary(run) }
    if !run.isClean { throw ExitCode.failure }
  }

  private func printSummary(_ run: Verifier.Run) {
    for finding in run.findings {
      print("\(finding.violations.isEmpty ? "ok  " : "FAIL") \(finding.check): \(finding.promise)")
      for violation in finding.violations {
        let account = "tenant \(violation.tenant ?? 0), account \(violation.account ?? 0)"
        print("     \(account): \(violation.detail)")
      }
    }
    let broken = run.findings.count { !$0.violations.isEmpty }
    let outcome =
      broken == 0 ? "\(run.findings.count) checks, all clean" : "\(broken) checks found violations"
    let scope = "\(run.mode.rawValue), \(run.accounts) accounts in \(run.slices) slices"
    print("\(outcome) (\(scope))")
  }

  private func printJSON(_ run: Verifier.Run) {
    var writer = JSONWriter()
    writer.object { writer in
      writer.field("ok", run.isClean)
      writer.field("mode", run.mode.rawValue)
      writer.field("since", run.since.map { $0.date.formatted(.iso8601) })
      writer.field("accounts", run.accounts)
      writer.field("slices", run.slices)
      writer.array("checks") { writer in
        for finding in run.findings { writer.value(finding) }
      }
    }
    print(String(decoding: writer.bytes, as: UTF8.self))
  }
}

extension Verifier.Finding: JSONWritable {
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("check", check)
      writer.field("promise", promise)
      writer.array("violations") { writer in
        for violation in violations {
          writer.object { writer in
            writer.field("tenant_id", violation.tenant.map { Int64($0) })
            writer.field("account_id", violation.account)
            writer.field("detail", violation.detail)
          }
        }
      }
    }
  }
}
