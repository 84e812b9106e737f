import Synchronization

/// The memory that all long bodies of a worker have together.
final class BodyRoom: Sendable {
  /// What one body has of it, given back with the last reference.
  final class Share: Sendable {
    private let room: BodyRoom
    private let bytes = Atomic(0)

    init(_ room: BodyRoom) { self.room = room }

    deinit { room.taken.subtract(bytes.load(ordering: .relaxed), ordering: .relaxed) }

    /// False when the room is full. Only the connection that the body comes from calls it.
    func grow(to size: Int) -> Bool {
      let more = size - bytes.exchange(size, ordering: .relaxed)
      return room.taken.add(more, ordering: .relaxed).newValue <= room.bytes
    }
  }

  private let bytes: Int
  private let taken = Atomic(0)

  init(bytes: Int) { self.bytes = bytes }
}
