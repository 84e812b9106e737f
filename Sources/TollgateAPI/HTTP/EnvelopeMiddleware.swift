import HTTPTypes
import Hummingbird
import Tollgate
import TollgateStore

/// Outermost: gives every reply its `x-request-id`, and every error the contract's envelope.
struct EnvelopeMiddleware<Context: RequestContext>: RouterMiddleware {
  func handle(
    _ request: Request, context: Context,
    next: (Request, Context) async throws -> Response
  ) async -> Response {
    let requestID = Self.requestID(of: request) ?? context.id
    var response: Response
    do {
      response = try await next(request, context)
    } catch {
      response = Self.response(to: error, requestID: requestID, context: context)
    }
    response.headers[.requestID] = requestID
    return response
  }

  /// The caller's own id when it is safe to repeat.
  private static func requestID(of request: Request) -> String? {
    guard let id = request.headers[.requestID], Identifier.isValid(id) else { return nil }
    return id
  }

  private static func response(
    to error: any Error, requestID: String, context: Context
  ) -> Response {
    let apiError = APIError(any: error)
    if apiError.status.kind == .serverError {
      context.logger.error(
        "request failed", metadata: ["error": "\(error)", "request_id": "\(requestID)"])
    }
    var writer = JSONWriter()
    apiError.write(to: &writer, traceID: requestID)
    return Response(
      status: apiError.status, headers: [.contentType: "application/json; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: writer.bytes)))
  }
}
