import Logging
import Postgres
import ServiceLifecycle
import Tollgate

/// A queue of commands that share transactions, and the connections that run them: one for all, and
/// one for the accounts that would keep others waiting.
struct Lane: Service {
  private let inbox: LaneInbox
  private let runners: [LaneRunner]

  init(
    _ configuration: ConnectionConfiguration, limits: LaneLimits, name: String,
    metrics: LaneMetrics, logger: Logger
  ) {
    var configuration = configuration
    configuration.lockTimeout = limits.lockTimeout
    let inbox = LaneInbox(limits, metrics)
    self.inbox = inbox
    runners = [(LaneInbox.Source.common, name), (.alone, "\(name)-alone")].map { source, name in
      LaneRunner(
        Connection(configuration, name: name, logger: logger), of: inbox, source,
        patience: limits.patience, metrics, logger)
    }
  }

  var waiting: Int { inbox.waiting }

  /// Submits commands that keep their order, to be answered by `deadline`.
  func submit(_ commands: [(Command, Recipient)], until deadline: ContinuousClock.Instant) {
    inbox.submit(commands, until: deadline)
  }

  /// Answers those who wait and whose time is up, whatever the runners do meanwhile.
  func dropLate() { inbox.dropLate(at: .now) }

  /// Runs batches until it is told to stop and the queues are drained.
  func run() async {
    await withTaskCancellationOrGracefulShutdownHandler {
      await withDiscardingTaskGroup { group in
        for runner in runners { group.addTask { await runner.run() } }
      }
    } onCancelOrGracefulShutdown: {
      inbox.close()
    }
  }
}

/// The bounds of a lane.
public struct LaneLimits: Sendable {
  /// Commands that may wait.
  public var capacity = 4_096
  /// Commands of one account that may wait; as many as a batch request can have, at least.
  public var accountCapacity = 1_024
  /// Commands in one transaction.
  public var batch = 256
  /// How long an answer of the server is waited for at most.
  public var patience = Duration.seconds(3)
  /// How long a batch waits for an account that somebody else has locked: longer than a commit
  /// takes, and too short for others to notice. Then that account goes alone.
  public var lockTimeout = Duration.milliseconds(5)

  public init() {}
}
