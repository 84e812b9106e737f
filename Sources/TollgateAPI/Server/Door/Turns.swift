import NIOCore

/// Lets the connections of one event loop take in by turns what they hold. One that holds many
/// requests would keep the loop from looking at others, however often it stopped in between: a loop
/// looks at its sockets only when no task is due.
final class Turns {
  /// So long turns are given, and then none.
  private static let work = TimeAmount.milliseconds(1)
  private static let pause = TimeAmount.milliseconds(4)

  private let eventLoop: any EventLoop
  private var waiting = CircularBuffer<() -> Void>()
  private var isScheduled = false

  /// To be used on `eventLoop` only.
  init(on eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  func wait(_ turn: @escaping () -> Void) {
    waiting.append(turn)
    schedule()
  }

  private func schedule() {
    if isScheduled { return }
    isScheduled = true
    eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { self.give() }
  }

  private func give() {
    isScheduled = false
    let end = NIODeadline.now() + Self.work
    repeat { waiting.popFirst()?() } while !waiting.isEmpty && .now() < end
    if !waiting.isEmpty { schedule() }
  }
}
