import Tollgate
import TollgateStore

extension API {
  func extend(_ request: APIRequest) async throws -> PreparedAction {
    let tenant = request.principal.tenant
    var fields = try RequestFields(request.body)
    let address = ReservationAddress(&fields, of: request)
    let ttlSeconds = fields.integer("ttl_seconds", in: ReservationLimits.ttlSeconds)
    let quantities = fields.quantities("quantities")
    let credits = fields.credits("credits", upTo: PriceLine.largest)
    if quantities != nil, credits != nil {
      fields.reject("credits", "Input should not come with quantities", "conflict")
    }
    if ttlSeconds == nil, quantities == nil, credits == nil {
      fields.reject("ttl_seconds", "Input should change the deadline or the hold", "missing")
    }
    try fields.validate()
    guard let address else { throw APIError.internalFault }
    let priced = try await reprice(
      address.id, tenant, with: quantities, until: request.deadline)
    let command = ExtendCommand(
      tenant: tenant, reservation: address.id,
      actionKey: request.idempotencyKey.map { KeyScope.extend.derive($0) } ?? .random(),
      fingerprint: fields.fingerprint("extend", address),
      credits: priced?.quote.credits ?? credits, quantities: priced?.quote.quantities,
      ttlSeconds: ttlSeconds.map { Int32($0) })
    let topUpURL = try await tenants.tenant(tenant, until: request.deadline)?.topUpURL
    return .command(.extend(command)) { outcome in
      let extended = try extended(outcome) { more, available in
        // The new hold may take what is available besides what it replaces.
        let fits = priced.map { priced in
          priced.book.fits(priced.quote, available: priced.quote.price - more + max(available, 0))
        }
        return .insufficient(
          required: more, available: available, fits: fits, topUpURL: topUpURL)
      }
      return Reply(
        headers: [(.creditsReserved, extended.held), (.creditsAvailable, extended.available)]
      ) { extended.write(to: &$0, account: address.id.account) }
    }
  }
}

extension API {
  /// The new hold that `quantities` ask for, with the book to say what would fit; `nil` when the
  /// request names none.
  private func reprice(
    _ id: ReservationID, _ tenant: TenantID, with quantities: [String: JSON]?,
    until deadline: ContinuousClock.Instant
  ) async throws -> (book: PriceBook, quote: Quote)? {
    guard let quantities else { return nil }
    let repricing = try await repricing(id, tenant, until: deadline)
    return (repricing.book, try repricing.quote(for: quantities))
  }
}

private func extended(
  _ outcome: Outcome, insufficient: (_ more: Int64, _ available: Int64) -> APIError
) throws -> Extension {
  guard case .extend(let outcome) = outcome else { throw APIError.internalFault }
  switch outcome {
  case .done(let extended): return extended
  case .insufficient(let more, let available): throw insufficient(more, available)
  case .mismatch: throw APIError.idempotencyMismatch
  case .notFound: throw APIError.noReservation
  case .closed(let state): throw APIError.closed(state)
  case .expired: throw APIError.expired
  case .unknownComponent: throw APIError.unknownComponent
  case .belowCaptured: throw APIError.invalid("credits", "less than what was captured already")
  case .broken: throw APIError.internalFault
  case .locked: throw StoreError.locked
  }
}

extension Extension {
  fileprivate func write(to writer: inout JSONWriter, account: Int64) {
    writer.object { writer in
      writer.field("reservation_id", ReservationID(account: account, key: key).description)
      writer.field("held", held)
      writer.array("lines") { writer in
        for line in lines {
          writer.object { writer in
            writer.field("component", line.component)
            writer.field("captured", line.captured)
            writer.field("held", line.held)
          }
        }
      }
      writer.field("available", available)
      writer.field("expires_at", expiresAt)
    }
  }
}
