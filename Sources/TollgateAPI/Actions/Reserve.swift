import Foundation
import Tollgate
import TollgateStore

/// The limits of a reservation's fields.
enum ReservationLimits {
  static let ttlSeconds: ClosedRange<Int64> = 1...604_800
  static let defaultTTLSeconds: Int64 = 900
  /// Metadata in bytes of canonical JSON.
  static let metadata = 1_024
}

/// What reserve and charge read from the body.
private struct ReserveFields {
  let account: AccountReference
  let pricing: PricingFields
  let maxPrice: Int64?
  let ttlSeconds: Int64
  let metadata: JSON?
  let key: UUID?
  let fingerprint: Fingerprint
  /// Of the request.
  let deadline: ContinuousClock.Instant

  init(_ request: APIRequest, charging: Bool) throws {
    var fields = try RequestFields(request.body)
    let account = fields.required("account_id") { $0.identifier($1) }
    let pricing = PricingFields(&fields)
    maxPrice = fields.integer("max_price", in: 0...Int64.max)
    ttlSeconds =
      fields.integer("ttl_seconds", in: ReservationLimits.ttlSeconds)
      ?? ReservationLimits.defaultTTLSeconds
    metadata = fields.document("metadata", bytes: ReservationLimits.metadata)
    try fields.validate()
    guard let account, let pricing else { throw APIError.internalFault }
    self.account = AccountReference(tenant: request.principal.tenant, name: account)
    self.pricing = pricing
    deadline = request.deadline
    key = request.idempotencyKey.map { ReservationKey.derived(from: $0, at: request.date) }
    fingerprint = Fingerprint(request.body, parts: charging ? "charge" : "reserve")
  }
}

extension API {
  /// Reserve, or charge: the same up to what is done with the hold.
  func reserve(_ request: APIRequest, charging: Bool) async throws -> PreparedAction {
    let fields = try ReserveFields(request, charging: charging)
    let priced: PricedOperation
    do {
      priced = try await price(
        fields.pricing, tenant: request.principal.tenant, until: fields.deadline)
      try fields.checkMaxPrice(priced.quote)
    } catch let error as APIError {
      guard let earlier = try await earlierAnswer(fields, charging: charging) else { throw error }
      return .answer(earlier)
    }
    if priced.quote.isFree {
      if let earlier = try await earlierAnswer(fields, charging: charging) {
        return .answer(earlier)
      }
      return .answer(try await free(priced, fields, charging: charging))
    }
    let command = ReserveCommand(
      account: fields.account, key: fields.key ?? ReservationKey.random(at: request.date),
      fingerprint: fields.fingerprint,
      quote: priced.quote, priceBookVersion: priced.version, ttlSeconds: Int32(fields.ttlSeconds),
      metadata: fields.metadata, service: request.principal.name,
      repeatSeconds: fields.key == nil ? priced.repeatSeconds : nil)
    return .command(charging ? .charge(command) : .reserve(command)) { outcome in
      try priced.reply(to: outcome, command, charging: charging)
    }
  }

  /// A repeat gets its first answer even when the price book has changed since, and would now
  /// refuse it or ask nothing for it. `nil` when it is no repeat.
  private func earlierAnswer(_ fields: ReserveFields, charging: Bool) async throws -> Reply? {
    guard let key = fields.key else { return nil }
    let id = ReservationID(account: fields.account.id, key: ReservationKey.sought(key))
    let reservation = try await reservation(
      id, tenant: fields.account.tenant, until: fields.deadline)
    guard let reservation else { return nil }
    guard reservation.fingerprint == fields.fingerprint.value else {
      throw APIError.idempotencyMismatch
    }
    return Reply(reservation.hold, reservation.id, charging: charging)
  }

  private func free(
    _ priced: PricedOperation, _ fields: ReserveFields, charging: Bool
  ) async throws -> Reply {
    let available = try await balance(of: fields.account, until: fields.deadline).spendable
    return Reply(
      headers: [
        (charging ? .creditsCharged : .creditsReserved, 0), (.creditsAvailable, available),
      ]
    ) { writer in
      writer.object { writer in
        writer.field("reservation_id", String?.none)
        writer.field(charging ? "charged" : "price", Int64(0))
        writer.array("lines") { _ in }
        writer.field("available", available)
        if !charging { writer.field("expires_at", String?.none) }
        writer.field("price_book_version", Int64(priced.version))
      }
    }
  }
}

extension ReserveFields {
  fileprivate func checkMaxPrice(_ quote: Quote) throws(APIError) {
    guard let maxPrice, quote.price > maxPrice else { return }
    throw .invalid(
      "max_price", "the price is \(quote.price) credits", with: ["price": .integer(quote.price)])
  }
}

extension PricedOperation {
  fileprivate func reply(
    to outcome: Outcome, _ command: ReserveCommand, charging: Bool
  ) throws -> Reply {
    guard case .reserve(let outcome) = outcome else { throw APIError.internalFault }
    switch outcome {
    case .held(let hold):
      let id = ReservationID(account: command.account.id, key: hold.key ?? command.key)
      return Reply(hold, id, charging: charging)
    case .insufficient(let available): throw insufficient(available: available)
    case .mismatch: throw APIError.idempotencyMismatch
    case .accountCollision: throw APIError.accountCollision
    case .broken: throw APIError.internalFault
    case .locked: throw StoreError.locked
    }
  }
}

extension Reply {
  fileprivate init(_ hold: Hold, _ id: ReservationID, charging: Bool) {
    let price = hold.lines.reduce(0) { $0 + $1.credits }
    self.init(
      headers: [
        (charging ? .creditsCharged : .creditsReserved, price),
        (.creditsAvailable, hold.available),
      ]
    ) { writer in
      writer.object { writer in
        writer.field("reservation_id", id.description)
        writer.field(charging ? "charged" : "price", price)
        writer.field("lines", hold.lines)
        writer.field("available", hold.available)
        if !charging { writer.field("expires_at", hold.expiresAt) }
        writer.field("price_book_version", Int64(hold.priceBookVersion))
        if hold.isRepeat { writer.field("repeat", true) }
      }
    }
  }
}
