import Logging
import NIOCore
import Postgres
import ServiceLifecycle
import Tollgate

/// All lanes of a worker. Accounts are routed by hash, so that a hot account hardly ever waits for
/// its own row lock within a worker.
///
/// A transaction costs more to begin than to carry one more command, so what is going on shares as
/// few lanes as it can: the next one is used when the last has a ``crowd``.
public struct Lanes: Service {
  /// Commands that wait in a lane before the next lane is used too: about as many as make a batch
  /// cheap.
  private static let crowd = 64

  private let lanes: [Lane]
  private let metrics: LaneMetrics

  public init(
    _ configuration: ConnectionConfiguration, count: Int, limits: LaneLimits = LaneLimits(),
    metrics: LaneMetrics, logger: Logger
  ) {
    self.metrics = metrics
    lanes = (0..<max(1, count)).map { index in
      Lane(configuration, limits: limits, name: "lane-\(index)", metrics: metrics, logger: logger)
    }
  }

  /// Submits a command. `receive` is called once, on `eventLoop`, by the deadline; results of one
  /// batch arrive there together.
  public func submit(
    _ command: Command, until deadline: ContinuousClock.Instant, on eventLoop: any EventLoop,
    _ receive: @escaping @Sendable (CommandResult) -> Void
  ) {
    lanes[laneIndex(of: command, among: lanesInUse(for: 1))].submit(
      [(command, Recipient(eventLoop: eventLoop, receive: receive))], until: deadline)
  }

  /// Submits commands, and waits for the results of all; those of one account run in their order.
  public func submit(
    _ commands: [Command], until deadline: ContinuousClock.Instant
  ) async -> [CommandResult] {
    if commands.isEmpty { return [] }
    return await withCheckedContinuation { continuation in
      let waiter = Waiter(count: commands.count, continuation)
      let used = lanesInUse(for: commands.count)
      let byLane = Dictionary(grouping: commands.indices) {
        laneIndex(of: commands[$0], among: used)
      }
      for (lane, indices) in byLane {
        lanes[lane].submit(
          indices.map { (commands[$0], waiter.recipient($0)) }, until: deadline)
      }
    }
  }

  public func run() async throws {
    await withSweeps(dropLate) {
      await withDiscardingTaskGroup { group in
        for lane in lanes { group.addTask { await lane.run() } }
      }
    }
  }

  private func dropLate() {
    for lane in lanes { lane.dropLate() }
  }

  /// Records how many commands wait now.
  public func recordWaiting() {
    metrics.wait(lanes.reduce(0) { $0 + $1.waiting })
  }

  private func lanesInUse(for commands: Int) -> Int {
    var used = 1
    while used < lanes.count, lanes[used - 1].waiting + commands / used > Self.crowd { used += 1 }
    return used
  }

  private func laneIndex(of command: Command, among used: Int) -> Int {
    Int(UInt64(bitPattern: command.account) % UInt64(used))
  }
}
