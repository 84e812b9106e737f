import HTTPTypes
import Hummingbird
import Tollgate

/// A successful answer: a body and the credit headers.
struct Reply: Sendable {
  let body: [UInt8]
  let headers: [(name: HTTPField.Name, credits: Int64)]

  init(
    headers: [(name: HTTPField.Name, credits: Int64)] = [],
    _ write: (inout JSONWriter) -> Void
  ) {
    var writer = JSONWriter()
    write(&writer)
    body = writer.bytes
    self.headers = headers
  }

  var response: Response {
    var response = Response(
      status: .ok, headers: [.contentType: "application/json; charset=utf-8"],
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
