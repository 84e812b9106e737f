import Hummingbird
import Tollgate
import TollgateStore

extension API {
  /// The reservation with its lines, or `null`.
  func reservation(
    id text: String, _ principal: Principal, until deadline: ContinuousClock.Instant
  ) async throws -> Reply {
    guard let id = ReservationID(text) else {
      throw RequestFields.error([
        RequestFields.problem(
          [.string("id")], "Input should be a reservation id", "reservation_id")
      ])
    }
    let reservation = try await reservation(id, tenant: principal.tenant, until: deadline)
    return Reply { $0.value(reservation) }
  }
}

extension Reservation: JSONWritable {
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("reservation_id", id.description)
      writer.field("account_id", account)
      writer.field("operation", operation)
      writer.field("service", service)
      writer.field("state", state)
      writer.array("lines") { writer in
        for line in lines { line.write(to: &writer) }
      }
      writer.field("quantities", quantities.json)
      writer.field("price_book_version", Int64(priceBookVersion))
      writer.field("metadata", metadata)
      writer.field("created_at", createdAt)
      writer.field("expires_at", expiresAt)
      writer.field("closed_at", closedAt)
    }
  }
}

extension Reservation.Line {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("component", component)
      writer.field("price", price)
      writer.field("held", held)
      writer.field("captured", captured)
    }
  }
}
