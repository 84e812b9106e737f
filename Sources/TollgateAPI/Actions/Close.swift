import Foundation
import Tollgate
import TollgateStore

/// How a body names a reservation: by its id, or by account and idempotency key for a caller that
/// lost the answer.
struct ReservationAddress {
  static let fields: Set<String> = ["reservation_id", "account_id", "idempotency_key"]

  /// Its key may be a sought one.
  let id: ReservationID

  /// `nil` when a field is wrong or missing.
  init?(_ fields: inout RequestFields, of request: APIRequest) {
    if fields["reservation_id"] == nil, fields["account_id"] != nil {
      let account = fields.identifier("account_id")
      let key = fields.required("idempotency_key") { $0.identifier($1) }
      guard let account, let key else { return nil }
      id = ReservationID(
        account: AccountReference(tenant: request.principal.tenant, name: account).id,
        key: ReservationKey.sought(ReservationKey.derived(from: key, at: request.date)))
      return
    }
    guard let text = fields.required("reservation_id", { $0.string($1) }) else { return nil }
    guard let id = ReservationID(text) else {
      fields.reject("reservation_id", "Input should be a reservation id", "reservation_id")
      return nil
    }
    self.id = id
  }
}

extension API {
  func capture(_ request: APIRequest) async throws -> PreparedAction {
    var fields = try RequestFields(request.body)
    let address = ReservationAddress(&fields, of: request)
    let quantities = fields.quantities("quantities")
    let credits = fields.credits("credits")
    let isFinal = fields.bool("final") ?? true
    if quantities != nil, credits != nil {
      fields.reject("credits", "Input should not come with quantities", "conflict")
    }
    try fields.validate()
    guard let address else { throw APIError.internalFault }
    let tenant = request.principal.tenant
    var asked = credits
    if let quantities {
      let repricing = try await repricing(address.id, tenant, until: request.deadline)
      asked = try repricing.credits(forWork: quantities)
    }
    let key = request.idempotencyKey.map { KeyScope.capture.derive($0) }
    let command = CloseCommand(
      tenant: tenant, reservation: address.id,
      step: isFinal ? .closing(key: key) : .stage(key: key ?? .random()),
      fingerprint: fields.fingerprint("capture", address),
      credits: asked, service: request.principal.name)
    return .command(.capture(command)) { outcome in
      let closing = try closing(outcome)
      return Reply(
        headers: [(.creditsCharged, closing.charged), (.creditsAvailable, closing.available)]
      ) { closing.write(to: &$0, account: address.id.account) }
    }
  }

  func release(_ request: APIRequest) throws -> PreparedAction {
    var fields = try RequestFields(request.body)
    let address = ReservationAddress(&fields, of: request)
    try fields.validate()
    guard let address else { throw APIError.internalFault }
    let command = CloseCommand(
      tenant: request.principal.tenant, reservation: address.id,
      step: .closing(key: request.idempotencyKey.map { KeyScope.release.derive($0) }),
      fingerprint: fields.fingerprint("release", address), service: request.principal.name)
    return .command(.release(command)) { outcome in
      let closing = try closing(outcome)
      return Reply(headers: [(.creditsAvailable, closing.available)]) {
        closing.write(to: &$0, account: address.id.account)
      }
    }
  }
}

extension RequestFields {
  func fingerprint(_ action: String, _ address: ReservationAddress) -> Fingerprint {
    Fingerprint(
      body(without: ReservationAddress.fields), parts: action, address.id.withoutWeek)
  }
}

private func closing(_ outcome: Outcome) throws -> Closing {
  guard case .close(let outcome) = outcome else { throw APIError.internalFault }
  switch outcome {
  case .done(let closing): return closing
  case .mismatch: throw APIError.idempotencyMismatch
  case .notFound: throw APIError.noReservation
  case .closed(let state): throw APIError.closed(state)
  case .expired: throw APIError.expired
  case .unknownComponent: throw APIError.unknownComponent
  case .broken: throw APIError.internalFault
  case .locked: throw StoreError.locked
  }
}

extension APIError {
  static let unknownComponent = APIError.invalid(
    "credits", "names a component that the reservation does not have")
}

extension Closing {
  fileprivate func write(to writer: inout JSONWriter, account: Int64) {
    writer.object { writer in
      writer.field("reservation_id", ReservationID(account: account, key: key).description)
      writer.field("state", state)
      writer.field("charged", charged)
      writer.field("capped", isCapped)
      writer.array("lines") { writer in
        for line in lines { line.write(to: &writer) }
      }
      writer.field("available", available)
    }
  }
}

extension Closing.Line {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("component", component)
      writer.field("charged", charged)
      writer.field("captured", captured)
      writer.field("held", held)
    }
  }
}
