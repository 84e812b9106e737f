import Postgres
import Tollgate
import TollgateStore

extension API {
  func reservation(
    _ id: ReservationID, tenant: TenantID, until deadline: ContinuousClock.Instant
  ) async throws(StoreError) -> Reservation? {
    try await readers.read(until: deadline) { (connection, deadline) throws(PostgresError) in
      try connection.reservation(id, tenant: tenant, until: deadline)
    }
  }

  /// A reservation and the price book version it was made with, to price it again.
  func repricing(
    _ id: ReservationID, _ tenant: TenantID, until deadline: ContinuousClock.Instant
  ) async throws -> Repricing {
    guard let reservation = try await reservation(id, tenant: tenant, until: deadline) else {
      throw APIError.noReservation
    }
    let version = reservation.priceBookVersion
    guard let book = try await tenants.book(tenant, version, until: deadline) else {
      throw APIError.internalFault
    }
    return Repricing(reservation: reservation, book: book)
  }
}

/// Prices a reservation again with some of its quantities replaced.
struct Repricing {
  let reservation: Reservation
  let book: PriceBook

  /// The new hold that is asked for.
  func quote(for quantities: [String: JSON]) throws(APIError) -> Quote {
    do {
      return try book.quote(
        reservation.operation, replacing: reservation.quantities, with: quantities)
    } catch {
      throw APIError(error)
    }
  }

  /// Credits per component for work that was done, whatever the limits of what may be asked for.
  /// Work beyond any price asks for more than is held, like all that is captured too high.
  func credits(forWork quantities: [String: JSON]) throws(APIError) -> [String: Int64] {
    do {
      return try book.quote(
        reservation.operation, replacing: reservation.quantities, with: quantities,
        limits: .ignored
      ).credits
    } catch {
      guard error.reason == .priceTooLarge else { throw APIError(error) }
      return Dictionary(reservation.lines.map { ($0.component, Int64.max) }) { first, _ in first }
    }
  }
}

extension Quote {
  /// Component → credits.
  var credits: [String: Int64] {
    Dictionary(lines.map { ($0.component, $0.credits) }) { $0 + $1 }
  }
}
