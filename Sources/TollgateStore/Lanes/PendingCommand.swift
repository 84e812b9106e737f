import Foundation
import NIOCore
import Tollgate

/// What a command came to: its outcome, or the reason why it has none.
public typealias CommandResult = Result<Outcome, StoreError>

/// A command on its way through a lane, with whoever waits for it. A class, because it moves
/// through several arrays, and to copy a command takes long.
final class PendingCommand: LaneItem {
  let command: Command
  let deadline: ContinuousClock.Instant
  /// Equal for commands that were submitted together; `nil` for one that came alone.
  let submission: UInt64?
  let recipient: Recipient

  init(
    _ command: Command, for recipient: Recipient, deadline: ContinuousClock.Instant,
    submission: UInt64?
  ) {
    self.command = command
    self.recipient = recipient
    self.deadline = deadline
    self.submission = submission
  }

  var kind: Command.Kind { command.kind }
  var account: Int64 { command.account }
  var key: UUID { command.subject }
}

/// Who waits for the result of a command.
struct Recipient: Sendable {
  /// Where `receive` is called; `nil` for the lane's own thread, which it must not keep.
  let eventLoop: (any EventLoop)?
  /// Called exactly once.
  let receive: @Sendable (CommandResult) -> Void
}

/// Results on their way back to one event loop, or to no particular one.
struct Deliveries: Sendable {
  private let eventLoop: (any EventLoop)?
  private var results: [(receive: @Sendable (CommandResult) -> Void, result: CommandResult)] = []

  private init(to eventLoop: (any EventLoop)?) { self.eventLoop = eventLoop }

  /// Hands results over, with one wake-up per event loop however many requests wait there.
  static func hand(_ results: some Sequence<(Recipient, CommandResult)>) {
    var all: [Deliveries] = []
    for (recipient, result) in results {
      let index =
        all.firstIndex { $0.eventLoop === recipient.eventLoop } ?? all.endIndex
      if index == all.endIndex { all.append(Deliveries(to: recipient.eventLoop)) }
      all[index].results.append((recipient.receive, result))
    }
    for deliveries in all { deliveries.hand() }
  }

  private func hand() {
    if let eventLoop {
      eventLoop.execute { [results] in
        for (receive, result) in results { receive(result) }
      }
    } else {
      for (receive, result) in results { receive(result) }
    }
  }
}
