import HTTPTypes
import Hummingbird
import Tollgate
import TollgateStore

/// An error as clients see it: status, code, message and details of the contract.
public struct APIError: Error, Sendable {
  public let status: HTTPResponse.Status
  public let code: String
  public let message: String
  public let details: [JSON]

  init(_ status: HTTPResponse.Status, _ code: String, _ message: String, details: [JSON] = []) {
    self.status = status
    self.code = code
    self.message = message
    self.details = details
  }
}

extension APIError {
  static let unauthorized = APIError(
    .unauthorized, "UNAUTHORIZED", "missing or invalid credentials")

  static let forbidden = APIError(.forbidden, "forbidden", "token valid, not allowed here")

  static let notFound = APIError(.notFound, "NOT_FOUND", "no such route")

  static let noReservation = APIError(.notFound, "NOT_FOUND", "no such reservation")

  static let idempotencyMismatch = APIError(
    .unprocessableContent, "IDEMPOTENCY_MISMATCH",
    "the idempotency key was used for another request")

  static let accountCollision = APIError(
    .conflict, "ACCOUNT_ID_COLLISION", "choose another account id")

  static let expired = APIError(
    .conflict, "RESERVATION_EXPIRED",
    "the reservation expired, and it is too late or the balance no longer covers it")

  static let internalFault = APIError(
    .internalServerError, "INTERNAL_ERROR", "the request could not be served")

  static func closed(_ state: String) -> APIError {
    APIError(
      .conflict, "RESERVATION_CLOSED", "the reservation was \(state) by another request",
      details: [.object(["state": .string(state)])])
  }

  static func tooLarge(limit: Int) -> APIError {
    APIError(.contentTooLarge, "CONTENT_TOO_LARGE", "the body exceeds \(limit) bytes")
  }

  /// A request of the right form that does not make sense.
  static func invalid(
    _ field: String, _ message: String, with more: [String: JSON] = [:]
  ) -> APIError {
    let detail: [String: JSON] = ["field": .string(field), "message": .string(message)]
    return APIError(
      .badRequest, "VALIDATION_ERROR", "\(field): \(message)",
      details: [.object(detail.merging(more) { first, _ in first })])
  }

  init(_ error: PricingError) {
    self = .invalid(error.field, error.message)
  }

  init(_ error: StoreError) {
    switch error {
    case .overloaded:
      self.init(.serviceUnavailable, "OVERLOADED", "too many requests are waiting; nothing charged")
    case .locked:
      self.init(
        .serviceUnavailable, "ACCOUNT_LOCKED",
        "somebody else has locked the account; nothing charged; retry")
    case .unavailable:
      self.init(.badGateway, "UPSTREAM_ERROR", "a dependency was down; nothing charged; retry")
    case .readOnly:
      self.init(
        .serviceUnavailable, "READ_ONLY",
        "the database takes no writes; nothing charged; retry when it does")
    case .outcomeUnknown:
      self.init(
        .serviceUnavailable, "OUTCOME_UNKNOWN",
        "no answer in time; it may have happened; repeat the same request with the same key")
    case .failed:
      self = .internalFault
    }
  }
}

extension APIError {
  /// Any error a handler can throw; what is not meant for clients becomes a plain 500.
  init(any error: any Error) {
    self =
      switch error {
      case let error as APIError: error
      case let error as StoreError: APIError(error)
      case let error as NotReady: APIError(error.reason)
      case let error as any HTTPResponseError where error.status == .notFound: .notFound
      case let error as any HTTPResponseError where error.status.kind == .clientError:
        APIError(error.status, "BAD_REQUEST", "the request could not be read")
      default: .internalFault
      }
  }
}

extension APIError: JSONWritable {
  public func write(to writer: inout JSONWriter) { write(to: &writer, traceID: nil) }

  /// Writes `{"error": …}`. `traceID` is shown for faults of ours.
  func write(to writer: inout JSONWriter, traceID: String?) {
    writer.object { writer in
      writer.object("error") { writer in
        writer.field("code", code)
        writer.field("message", message)
        if !details.isEmpty { writer.field("details", JSON.array(details)) }
        if let traceID, status.kind == .serverError { writer.field("trace_id", traceID) }
      }
    }
  }
}
