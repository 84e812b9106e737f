import Metrics
import Synchronization

/// The memory that all long bodies of a worker have together.
final class BodyRoom: Sendable {
  /// What one body has of it, given back with the last reference.
  final class Share: Sendable {
    private let room: BodyRoom
    private let bytes = Atomic(0)

    init(_ room: BodyRoom) { self.room = room }

    deinit { _ = room.take(-bytes.load(ordering: .relaxed)) }

    /// False when the room is full. Only the connection that the body comes from calls it.
    func grow(to size: Int) -> Bool {
      room.take(size - bytes.exchange(size, ordering: .relaxed))
    }
  }

  private let bytes: Int
  private let taken = Atomic(0)
  private let gauge: Gauge

  /// - Parameter taken: shows how many bytes are in use.
  init(bytes: Int, taken gauge: Gauge) {
    self.bytes = bytes
    self.gauge = gauge
    gauge.record(0)
  }

  private func take(_ more: Int) -> Bool {
    let taken = self.taken.add(more, ordering: .relaxed).newValue
    gauge.record(taken)
    return taken <= bytes
  }
}
