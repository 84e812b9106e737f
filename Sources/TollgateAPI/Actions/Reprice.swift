import Postgres
import Tollgate
import TollgateStore

extension API {
  func reservation(
    _ id: ReservationID, tenant: TenantID
  ) async throws(StoreError) -> Reservation? {
    try await readers.read { (connection, deadline) throws(PostgresError) in
      try connection.reservation(id, tenant: tenant, until: deadline)
    }
  }

  /// Prices a reservation again, by the price book version it was made with, with some of its
  /// quantities replaced. Returns the book as well, for what else is asked of it.
  func reprice(
    _ id: ReservationID, _ tenant: TenantID, with quantities: [String: JSON],
    limits: QuantityLimits
  ) async throws -> (book: PriceBook, quote: Quote) {
    guard let reservation = try await reservation(id, tenant: tenant) else {
      throw APIError.noReservation
    }
    guard let book = try await tenants.book(tenant, reservation.priceBookVersion) else {
      throw APIError.internalFault
    }
    do {
      let quote = try book.quote(
        reservation.operation, replacing: reservation.quantities, with: quantities, limits: limits)
      return (book, quote)
    } catch {
      throw APIError(error)
    }
  }
}

extension Quote {
  /// Component → credits.
  var credits: [String: Int64] {
    Dictionary(lines.map { ($0.component, $0.credits) }) { $0 + $1 }
  }
}
