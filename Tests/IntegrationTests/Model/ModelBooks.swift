import Foundation
import ReferenceLedger
import TestSupport
import TollgateStore

/// All that a ledger says about the accounts of a session, as lines of text in the same form for
/// the reference ledger and the database.
enum ModelBooks {
  /// What the reference ledger says.
  static func lines(of model: ReferenceLedger, _ session: ModelSession) -> Set<String> {
    var lines: Set<String> = []
    for (id, account) in model.accounts {
      let name = "\(session.account(id).id)"
      lines.formUnion(Self.lines(of: account, name))
    }
    for (id, hold) in model.holds {
      let account = session.account(id.account).id
      let key = ModelSession.key(of: id.key).uuidString.lowercased()
      for (index, line) in hold.lines.enumerated() {
        lines.insert(
          "\(account) hold \(key) \(index + 1) \(line.component) "
            + "\(hold.state) \(line.captured)/\(line.held) \(hold.expiresAt)")
      }
    }
    return lines
  }

  private static func lines(of account: ReferenceLedger.Account, _ name: String) -> [String] {
    let summary =
      "\(name) has \(account.balance) \(account.reserved) \(account.creditLimit) "
      + "\(account.hasAllowance) \(account.entries.count)"
    let entries = account.entries.enumerated().map { index, entry in
      "\(name) entry \(index + 1) at \(entry.at) \(entry.amount) \(entry.balance) "
        + "\(source(of: entry)) \(entry.component ?? "-") \(entry.isCall ? 1 : 0)"
    }
    let usage = account.usage.map { day, usage in
      "\(name) used \(day.day) \(day.component) \(usage.calls) \(usage.credits)"
    }
    return [summary] + entries + usage
  }

  private static func source(of entry: ReferenceLedger.Entry) -> String {
    guard let key = entry.source else { return "00000000-0000-0000-0000-000000000000" }
    let uuid = entry.component == nil ? KeyScope.grant.derive(key) : ModelSession.key(of: key)
    return uuid.uuidString.lowercased()
  }

  /// What the database says about these accounts.
  static func lines(
    in ledger: TestLedger, of accounts: [AccountReference]
  ) async throws -> Set<String> {
    let ids = accounts.map { String($0.id) }.joined(separator: ", ")
    return Set(try await ledger.query(query(ids)).compactMap(\.self))
  }

  private static func query(_ ids: String) -> String {
    """
    SELECT concat_ws(' ', account_id, 'has', balance, reserved, credit_limit,
                     allowance_granted::text, last_seq)
      FROM tollgate_data.accounts WHERE account_id IN (\(ids))
    UNION ALL
    SELECT concat_ws(' ', account_id, 'entry', seq, 'at', \(seconds("at")), amount,
                     balance_after, source_key, coalesce(component, '-'), calls)
      FROM tollgate_data.entries WHERE account_id IN (\(ids))
    UNION ALL
    SELECT concat_ws(' ', account_id, 'used', day - date '2000-01-01', component, sum(calls),
                     sum(credits))
      FROM tollgate_data.usage_days WHERE account_id IN (\(ids))
     GROUP BY account_id, day, component
    UNION ALL
    SELECT concat_ws(' ', account_id, 'hold', reservation_key, line, component, state,
                     captured || '/' || held, \(seconds("expires_at")))
      FROM tollgate_data.reservation_lines WHERE account_id IN (\(ids))
    """
  }

  private static func seconds(_ column: String) -> String {
    "extract(epoch FROM \(column) - timestamptz '2000-01-01 00:00+00')::bigint"
  }
}
