import ArgumentParser
import Tollgate
import TollgateStore

struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Prove the ledger's promises by SQL; fails when one is broken.")

  @OptionGroup var common: CommonOptions

  @Flag(help: "Print JSON for machines.")
  var json = false

  func run() async throws {
    let settings = try await Settings(common)
    let findings = try await Verifier(
      url: try settings.databaseURL, folder: try settings.sqlFolder, logger: settings.logger
    ).run()
    if json { printJSON(findings) } else { printSummary(findings) }
    if !findings.allSatisfy(\.violations.isEmpty) { throw ExitCode.failure }
  }

  private func printSummary(_ findings: [Verifier.Finding]) {
    for finding in findings {
      print("\(finding.violations.isEmpty ? "ok  " : "FAIL") \(finding.check): \(finding.promise)")
      for violation in finding.violations {
        let account = "tenant \(violation.tenant ?? 0), account \(violation.account ?? 0)"
        print("     \(account): \(violation.detail)")
      }
    }
    let broken = findings.count { !$0.violations.isEmpty }
    print(broken == 0 ? "\(findings.count) checks, all clean" : "\(broken) checks found violations")
  }

  private func printJSON(_ findings: [Verifier.Finding]) {
    var writer = JSONWriter()
    writer.object { writer in
      writer.field("ok", findings.allSatisfy(\.violations.isEmpty))
      writer.array("checks") { writer in
        for finding in findings { writer.value(finding) }
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
