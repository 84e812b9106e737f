import Foundation
import NIOHTTP1

extension Reply {
  /// The head of the response, with all its headers.
  func head(requestID: String, keepsAlive: Bool) -> HTTPResponseHead {
    var fields = HTTPHeaders()
    fields.reserveCapacity(8)
    fields.add(name: "content-type", value: Self.contentType)
    fields.add(name: "content-length", value: String(body.count))
    for header in headers {
      fields.add(name: header.name.rawName, value: String(header.credits))
    }
    fields.add(name: "x-request-id", value: requestID)
    fields.add(name: "date", value: HTTPDate.now)
    fields.add(name: "server", value: API.serverName)
    if !keepsAlive { fields.add(name: "connection", value: "close") }
    let status = HTTPResponseStatus(statusCode: status.code, reasonPhrase: status.reasonPhrase)
    return HTTPResponseHead(version: .http1_1, status: status, headers: fields)
  }
}
