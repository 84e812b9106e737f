import Foundation
import Postgres
import Tollgate
import TollgateStore

/// The size of a page of a statement, in entries.
private enum StatementPage {
  static let limits: ClosedRange<Int64> = 1...200
  static let size: Int64 = 50
}

extension API {
  /// Ledger entries, newest first. `next_cursor` continues behind the last one; `null` at the end.
  func statement(_ request: APIRequest) async throws -> Reply {
    var fields = try RequestFields(request.body)
    let account = accountToRead(&fields, request.principal)
    let limit = fields.integer("limit", in: StatementPage.limits) ?? StatementPage.size
    let before = fields.cursor("cursor")
    try fields.validate()
    guard let account else { throw APIError.internalFault }
    let entries = try await readers.read(until: request.deadline) {
      (connection, deadline) throws(PostgresError) in
      try connection.entries(
        of: account, before: before, limit: Int32(limit), until: deadline)
    }
    // Sequences are gapless and start at 1, so the last entry tells whether more follow.
    let next = entries.last.flatMap { $0.seq > 1 ? String($0.seq) : nil }
    return Reply { writer in
      writer.object { writer in
        writer.array("entries") { writer in
          for entry in entries { entry.write(to: &writer, account: account.id) }
        }
        writer.field("next_cursor", next)
      }
    }
  }
}

extension RequestFields {
  /// An opaque text that we made: the sequence number to continue before.
  fileprivate mutating func cursor(_ field: String) -> Int64? {
    guard let text = string(field) else { return nil }
    if let seq = Int64(text), seq > 0 { return seq }
    reject(field, "Input should be a next_cursor of this projection", "cursor")
    return nil
  }
}

extension Entry {
  fileprivate func write(to writer: inout JSONWriter, account: Int64) {
    writer.object { writer in
      writer.field("seq", seq)
      writer.field("at", at)
      writer.field("amount", amount)
      writer.field("balance_after", balanceAfter)
      writer.field("contra", component.map { "\(contra):\($0)" } ?? contra)
      writer.field("service", service)
      if let operation { writer.field("operation", operation) }
      if contra == "revenue" {
        writer.field(
          "reservation_id", ReservationID(account: account, key: sourceKey).description)
      }
      if let reason { writer.field("reason", reason) }
    }
  }
}
