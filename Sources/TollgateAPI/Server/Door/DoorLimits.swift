import NIOCore

/// What a connection may cost, and how long each of its states may last.
public struct DoorLimits: Sendable {
  /// Connections at once; a further one is refused.
  public var connections = 4_096
  /// Between two requests, and until an answer has been sent.
  public var idle = TimeAmount.seconds(75)
  /// From the first byte of a request to its last, and from the beginning of a connection to the
  /// last byte of its first request.
  public var request = TimeAmount.seconds(30)
  /// From the last answer until the client has closed, unless that refused a body.
  public var linger = TimeAmount.seconds(2)
  /// From a stop until the last connection is closed.
  public var stop = TimeAmount.seconds(5)
  /// From a stop until a connection without a request is closed.
  public var stopGrace = TimeAmount.milliseconds(250)
  /// Bytes that are read of the rest of a refused request, so that the refusal reaches a client
  /// which sends all before it looks for an answer. More than the longest body that is taken.
  public var dropped = 2 * API.batchBodyLimit
  /// Bytes that are read after a last answer, unless that refused a body.
  public var lingering = 1 << 20
  /// Bytes of long bodies that are kept at once, of all connections together.
  public var bodies = 256 << 20

  public init() {}

  /// How often a connection looks at its deadline.
  var checkInterval: TimeAmount { .nanoseconds(request.nanoseconds / 8) }
}
