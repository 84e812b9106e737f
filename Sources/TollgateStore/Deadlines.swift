/// When a request is answered at the latest, counted from when it has come: whatever it waits for
/// on its way, a key, a price, a lane, it waits for no longer.
public struct Deadlines: Sendable {
  /// Everything but a batch.
  public var request = Duration.seconds(3)
  /// A batch of actions, some of which may have to wait for others of it.
  public var batch = Duration.seconds(10)

  public init() {}
}

/// Work that has less time left than this is not begun: its answer would come too late, and
/// everything behind it would be later for it. A connection that does not answer for so long is no
/// good, so to drop it over a deadline is no loss.
let leastTime = Duration.milliseconds(250)

/// Runs `body`, and meanwhile calls `sweep` twenty times a second.
func withSweeps(_ sweep: @escaping @Sendable () -> Void, _ body: () async -> Void) async {
  await withTaskGroup { group in
    group.addTask {
      while (try? await Task.sleep(for: .milliseconds(50))) != nil { sweep() }
    }
    await body()
    group.cancelAll()
  }
}
