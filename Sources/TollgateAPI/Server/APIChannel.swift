import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// A connection of a client: actions are answered on its event loop, all else goes to the router.
struct APIChannel: HTTPChannelHandler {
  let api: API
  let idleTimeout: TimeAmount
  let responder: Responder

  func setup(
    channel: any Channel, logger: Logger
  ) -> EventLoopFuture<NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>> {
    channel.eventLoop.makeCompletedFuture {
      let pipeline = channel.pipeline.syncOperations
      let socket = SocketHandler(idleTimeout: idleTimeout)
      let turns = TurnHandler()
      try pipeline.addHandler(socket)
      try pipeline.configureHTTPServerPipeline(
        withPipeliningAssistance: false, withErrorHandling: false,
        withOutboundHeaderValidation: false)
      try pipeline.addHandler(turns)
      try pipeline.addHandler(ActionHandler(api, turns, socket, logger: logger))
      try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
      return try NIOAsyncChannel(
        wrappingChannelSynchronously: channel,
        configuration: .init(isOutboundHalfClosureEnabled: true))
    }
  }

  func handle(
    value: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>, logger: Logger
  ) async {
    await handleHTTP(asyncChannel: value, logger: logger)
  }
}

extension API {
  public static let serverName = "tollgate"

  /// The server of this API.
  ///
  /// - Parameter idleTimeout: after which a connection on which nothing comes or goes is closed.
  public func server(idleTimeout: TimeAmount) -> HTTPServerBuilder {
    HTTPServerBuilder { APIChannel(api: self, idleTimeout: idleTimeout, responder: $0) }
  }
}
