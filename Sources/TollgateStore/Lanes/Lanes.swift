import Logging
import Postgres
import ServiceLifecycle
import Tollgate

/// All lanes of a worker. Accounts are routed by hash, so a hot account never waits for its own
/// row lock within a worker.
public struct Lanes: Service {
  private let lanes: [Lane]

  public init(
    _ configuration: ConnectionConfiguration, count: Int, limits: LaneLimits = LaneLimits(),
    logger: Logger
  ) {
    lanes = (0..<max(1, count)).map { index in
      Lane(configuration, limits: limits, name: "lane-\(index)", logger: logger)
    }
  }

  /// Submits commands; those of one account run in their order.
  public func submit(_ commands: [Command]) async -> [Result<Outcome, StoreError>] {
    if let only = commands.first, commands.count == 1 { return await lane(of: only).submit([only]) }
    let byLane = Dictionary(grouping: commands.indices) { laneIndex(of: commands[$0]) }
    var results = [Result<Outcome, StoreError>](
      repeating: .failure(.overloaded), count: commands.count)
    await withTaskGroup(of: ([Int], [Result<Outcome, StoreError>]).self) { group in
      for (lane, indices) in byLane {
        group.addTask { (indices, await lanes[lane].submit(indices.map { commands[$0] })) }
      }
      for await (indices, outcomes) in group {
        for (index, outcome) in zip(indices, outcomes) { results[index] = outcome }
      }
    }
    return results
  }

  public func run() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      for lane in lanes { group.addTask { await lane.run() } }
    }
  }

  private func lane(of command: Command) -> Lane { lanes[laneIndex(of: command)] }

  private func laneIndex(of command: Command) -> Int {
    Int(UInt64(bitPattern: command.account) % UInt64(lanes.count))
  }
}
