import Dispatch
import Locking
import Tollgate

/// The queues between the callers and the two runners of a lane: the shell around ``LaneQueues``.
final class LaneInbox: Sendable {
  /// Which of a lane's queues a runner takes its batches from.
  enum Source: Sendable {
    /// Batches that accounts share.
    case common
    /// Batches of one account that must not keep others waiting.
    case alone
  }

  private struct State {
    var queues: LaneQueues<PendingCommand>
    var submissions: UInt64 = 0
    var lastAnswer: ContinuousClock.Instant?
    var unserved = StoreError.unavailable

    mutating func enqueue(
      _ commands: [(Command, Recipient)], until deadline: ContinuousClock.Instant
    ) -> LaneQueues<PendingCommand>.Admission {
      submissions &+= 1
      let submission = commands.count > 1 ? submissions : nil
      return queues.enqueue(
        commands.map { command, recipient in
          PendingCommand(command, for: recipient, deadline: deadline, submission: submission)
        })
    }

    mutating func next(
      from source: Source
    ) -> (step: LaneQueue<PendingCommand>.Step, wakes: LaneQueues<PendingCommand>.Wakes) {
      switch source {
      case .common: queues.next()
      case .alone: (queues.nextAlone(), .init())
      }
    }
  }

  /// Without an answer for so long there is no database.
  private static let silence = Duration.seconds(2)

  private let state: Locked<State>
  private let commonWakeUp = DispatchSemaphore(value: 0)
  private let aloneWakeUp = DispatchSemaphore(value: 0)
  private let metrics: LaneMetrics

  init(_ limits: LaneLimits, _ metrics: LaneMetrics) {
    self.metrics = metrics
    state = Locked(
      State(
        queues: LaneQueues(
          capacity: limits.capacity, accountCapacity: limits.accountCapacity,
          batchLimit: limits.batch)))
  }

  var waiting: Int { state.withLock { $0.queues.count } }

  /// Admits commands that keep their order, all or none. Whoever waits for one that is not
  /// admitted is told at once.
  func submit(_ commands: [(Command, Recipient)], until deadline: ContinuousClock.Instant) {
    let admission = state.withLock { $0.enqueue(commands, until: deadline) }
    switch admission {
    case .accepted(let wakes): wake(wakes)
    case .full, .closed:
      metrics.failed(commands.count, .overloaded)
      Deliveries.hand(commands.map { ($1, .failure(.overloaded)) })
    }
  }

  /// A batch was not answered, as the server could not be used.
  func failed(_ error: StoreError) { state.withLock { $0.unserved = error } }

  /// A batch was answered.
  func answered(at now: ContinuousClock.Instant) { state.withLock { $0.lastAnswer = now } }

  /// Why what has waited for too long is refused: where there are answers there is too much to do,
  /// or the account is locked; where there are none there is no database.
  func refusal(of source: Source, at now: ContinuousClock.Instant) -> StoreError {
    let (lastAnswer, unserved) = state.withLock { ($0.lastAnswer, $0.unserved) }
    guard let lastAnswer, now - lastAnswer < Self.silence else { return unserved }
    return source == .common ? .overloaded : .locked
  }

  /// Refuses what waits and could no more be done in time.
  func dropLate(at now: ContinuousClock.Instant) {
    let late = state.withLock { $0.queues.removeAll { $0.deadline <= now + leastTime } }
    refuse(late.common, of: .common, at: now)
    refuse(late.alone, of: .alone, at: now)
  }

  private func refuse(
    _ late: [PendingCommand], of source: Source, at now: ContinuousClock.Instant
  ) {
    if late.isEmpty { return }
    let error = refusal(of: source, at: now)
    metrics.failed(late.count, error)
    Deliveries.hand(late.map { ($0.recipient, .failure(error)) })
  }

  /// Blocks until there is work; `nil` when the source is closed and drained. Only the runner of
  /// the source calls it, whose thread is its own: a suspended one would be resumed by way of a
  /// thread of the pool, and to wake that takes as long as a small batch.
  func nextBatch(from source: Source) -> [PendingCommand]? {
    while true {
      let (step, wakes) = state.withLock { $0.next(from: source) }
      wake(wakes)
      switch step {
      case .run(let batch): return batch
      case .finished: return nil
      case .idle: (source == .common ? commonWakeUp : aloneWakeUp).wait()
      }
    }
  }

  /// Lets an account go alone from now on, with the commands of it that could not be decided.
  func setAside(_ account: Int64, _ undecided: [PendingCommand] = []) {
    metrics.setsAside()
    wake(state.withLock { $0.queues.setAside(account, undecided) })
  }

  /// Lets accounts share batches again, of which a batch went through.
  func rejoin(_ accounts: Set<Int64>) {
    state.withLock { state in
      for account in accounts { state.queues.rejoin(account) }
    }
  }

  func close() { wake(state.withLock { $0.queues.close() }) }

  private func wake(_ wakes: LaneQueues<PendingCommand>.Wakes) {
    if wakes.common { commonWakeUp.signal() }
    if wakes.alone { aloneWakeUp.signal() }
  }
}
