import Foundation
import NIOCore
import Tollgate

/// What a command came to: its outcome, or the reason why it has none.
public typealias CommandResult = Result<Outcome, StoreError>

/// A command on its way through a lane, with whoever waits for it.
struct PendingCommand: LaneItem {
  let command: Command
  let deadline: ContinuousClock.Instant
  /// Equal for commands that were submitted together.
  let submission: UInt64
  let recipient: Recipient

  var kind: Command.Kind { command.kind }
  var account: Int64 { command.account }
  var key: UUID { command.key }
}

/// Who waits for the result of a command.
struct Recipient: Sendable {
  /// Where `receive` is called; `nil` for the lane's own thread, which it must not keep.
  let eventLoop: (any EventLoop)?
  /// Called exactly once.
  let receive: @Sendable (CommandResult) -> Void
}

/// A result on its way back.
struct Delivery: Sendable {
  let recipient: Recipient
  let result: CommandResult

  private func hand() { recipient.receive(result) }

  /// Hands over results with one wake-up per event loop, however many requests wait there.
  static func hand(over deliveries: [Delivery]) {
    let byLoop = Dictionary(grouping: deliveries) {
      $0.recipient.eventLoop.map { ObjectIdentifier($0) }
    }
    for deliveries in byLoop.values {
      if let eventLoop = deliveries.first?.recipient.eventLoop {
        eventLoop.execute { for delivery in deliveries { delivery.hand() } }
      } else {
        for delivery in deliveries { delivery.hand() }
      }
    }
  }
}
