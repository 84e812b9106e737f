import Foundation
import Postgres

/// The SQL of `sql/verification`.
struct SliceStatements: Sendable {
  /// Creates the session's tables.
  let tables: String
  /// Makes them empty.
  let empty: String
  /// Notes when the next slice is looked at.
  let time: String
  let border: Statement
  let slice: Statement
  let counts: Statement
  let sums: Statement
  let priceRules: Statement
  let touchedAccounts: Statement
  let touchedDeadline: Statement
  let touchedHolds: Statement
  let partEnd: Statement
  let entriesEnd: Statement
  let through: Statement
  let keep: Statement
  let byKey: Statement
  let lateHolds: Statement
  let byActionKey: Statement
  let byBody: Statement
  let bySequence: Statement
  let totals: Statement

  init(_ folder: SQLFolder, _ mode: Verifier.Mode) throws {
    func statement(_ name: String) throws -> Statement {
      let text = try folder.file("verification/\(name)").statement
      return Statement(
        name: name.replacing("/", with: "_"), sql: Self.restricted(text, to: mode))
    }
    tables = try folder.file("verification/tables").text
    empty = try folder.file("verification/empty").text
    time = try folder.file("verification/time").text
    border = try statement("border")
    slice = try statement("slice")
    counts = try statement("counts")
    sums = try statement("sums")
    priceRules = try statement("price_rules")
    touchedAccounts = try statement("touched/accounts")
    touchedDeadline = try statement("touched/deadline")
    touchedHolds = try statement("touched/holds")
    partEnd = try statement("large/part_end")
    entriesEnd = try statement("large/entries_end")
    through = try statement("large/through")
    keep = try statement("large/keep")
    byKey = try statement("large/by_key")
    lateHolds = try statement("large/late_holds")
    byActionKey = try statement("large/by_action_key")
    byBody = try statement("large/by_body")
    bySequence = try statement("large/by_sequence")
    totals = try statement("large/totals")
  }

  /// Puts in what stands for the accounts of a run.
  private static func restricted(_ sql: String, to mode: Verifier.Mode) -> String {
    let touched = "IN (SELECT a.account_id FROM touched a WHERE a.account_id BETWEEN $1 AND $2)"
    let sql = sql.replacing(":slice", with: mode == .full ? "BETWEEN $1 AND $2" : touched)
    return sql.replacing(#/FROM :([a-z_]+) t/#) { match in
      mode == .full
        ? "FROM tollgate_data.\(match.1) t"
        : "FROM (touched JOIN tollgate_data.\(match.1) USING (account_id)) t"
    }
  }
}

extension SQLFolder.File {
  /// The file as one statement, without what ends it.
  var statement: String { text.trimmingCharacters(in: CharacterSet(charactersIn: "; \n")) }
}
