import HTTPTypes
import Hummingbird
import Tollgate
import TollgateStore

/// Outermost: gives every reply its `x-request-id`, and every error the contract's envelope.
struct EnvelopeMiddleware<Context: RequestContext>: RouterMiddleware {
  let answers: RequestMetrics.Answers

  @concurrent
  func handle(
    _ request: Request, context: Context,
    next: @concurrent (Request, Context) async throws -> Response
  ) async -> Response {
    let requestID = RequestHeaders(request.headers).safeRequestID ?? context.id
    var response: Response
    do {
      response = try await next(request, context)
    } catch {
      response = Reply(any: error, requestID: requestID, logger: context.logger).response
    }
    // Answered as a GET would be, with its headers, and errors too.
    if request.method == .head { response = response.createHeadResponse() }
    answers.count(response.status)
    response.headers[.requestID] = requestID
    return response
  }
}
