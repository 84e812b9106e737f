import HTTPTypes
import Tollgate
import TollgateStore

/// An operation priced by the tenant's active price book.
struct PricedOperation {
  let tenant: Tenant
  let book: PriceBook
  let version: Int32
  let quote: Quote
}

/// The fields that name what to price.
struct PricingFields {
  let operation: String
  let input: JSON?
  let quantities: [String: JSON]

  /// Reads `operation`, and `input` or `quantities` or both. `nil` when a field is wrong.
  init?(_ fields: inout RequestFields) {
    let operation = fields.required("operation") { $0.string($1) }
    let quantities = fields.quantities("quantities")
    input = fields["input"]
    guard let operation else { return nil }
    self.operation = operation
    self.quantities = quantities ?? [:]
  }
}

extension API {
  func price(
    _ fields: PricingFields, tenant id: TenantID, until deadline: ContinuousClock.Instant
  ) async throws -> PricedOperation {
    guard let tenant = try await tenants.tenant(id, until: deadline) else {
      throw APIError.internalFault
    }
    guard let version = tenant.activePriceBook,
      let book = try await tenants.book(id, version, until: deadline)
    else {
      throw APIError(.conflict, "NO_PRICE_BOOK", "the tenant has no active price book")
    }
    do {
      let quote = try book.quote(
        fields.operation, input: fields.input, quantities: fields.quantities)
      return PricedOperation(tenant: tenant, book: book, version: version, quote: quote)
    } catch {
      throw APIError(error)
    }
  }
}

extension PricedOperation {
  func insufficient(available: Int64) -> APIError {
    .insufficient(
      required: quote.price, available: available, fits: fits(available: available),
      topUpURL: tenant.topUpURL)
  }

  var repeatSeconds: Int32? { book.repeatSeconds(of: quote.operation) }

  func fits(available: Int64) -> JSON { book.fits(quote, available: available) }
}

extension PriceBook {
  /// The largest value of each scalable quantity that `available` covers.
  func fits(_ quote: Quote, available: Int64) -> JSON {
    let fits = largestFit(quote, available: available)
    return .object(
      Dictionary(fits.map { ($0.quantity, .integer($0.largest)) }) { first, _ in first })
  }
}

extension APIError {
  /// The 402, with what helps the caller: how much is missing, what would fit, where to top up.
  static func insufficient(
    required: Int64, available: Int64, fits: JSON?, topUpURL: String?
  ) -> APIError {
    var detail: [String: JSON] = [
      "required": .integer(required),
      "available": .integer(available),
      "short_by": .integer(required - available),
    ]
    detail["fits"] = fits
    detail["top_up_url"] = topUpURL.map { .string($0) }
    return APIError(
      HTTPResponse.Status(code: 402, reasonPhrase: "Payment Required"), "PAYMENT_REQUIRED",
      "insufficient credits", details: [.object(detail)])
  }
}
