import HTTPTypes
import Hummingbird
import Logging
import Tollgate
import TollgateStore

/// An answer: status, body and the credit headers.
struct Reply: Sendable {
  static let contentType = "application/json; charset=utf-8"

  let status: HTTPResponse.Status
  let body: [UInt8]
  let headers: [(name: HTTPField.Name, credits: Int64)]

  init(
    status: HTTPResponse.Status = .ok, headers: [(name: HTTPField.Name, credits: Int64)] = [],
    _ write: (inout JSONWriter) -> Void
  ) {
    var writer = JSONWriter()
    write(&writer)
    self.status = status
    body = writer.bytes
    self.headers = headers
  }

  /// What a client is told of an error. What is not its own fault is logged.
  init(any error: any Error, requestID: String, logger: Logger) {
    let apiError = APIError(any: error)
    if apiError.status.kind == .serverError {
      // Under overload there are as many as can be refused, and the metrics count them. That it is
      // not ready a worker logs by itself, however often it is asked.
      let isExpected = apiError.code == "OVERLOADED" || error is NotReady
      logger.log(
        level: isExpected ? .debug : .error, "request failed",
        metadata: ["error": "\(error)", "request_id": "\(requestID)"])
    }
    self.init(apiError, requestID: requestID)
  }

  init(_ error: APIError, requestID: String) {
    self.init(status: error.status) { error.write(to: &$0, traceID: requestID) }
  }

  var response: Response {
    var response = Response(
      status: status, headers: [.contentType: Self.contentType],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    for header in headers { response.headers[header.name] = String(header.credits) }
    return response
  }
}

extension HTTPField.Name {
  static let requestID = HTTPField.Name("x-request-id")!
  static let idempotencyKey = HTTPField.Name("idempotency-key")!
  static let creditsReserved = HTTPField.Name("x-credits-reserved")!
  static let creditsCharged = HTTPField.Name("x-credits-charged")!
  static let creditsAvailable = HTTPField.Name("x-credits-available")!
}
