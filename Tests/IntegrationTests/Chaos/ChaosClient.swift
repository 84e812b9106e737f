import ReferenceLedger
import TestSupport

/// Sends one request after the other, and repeats the one whose outcome is unknown until it is not.
struct ChaosClient {
  private static let patience = Duration.seconds(5)
  /// So that a worker that came back gets its share of connections.
  private static let requestsPerConnection = 100

  let port: Int
  let keys: ChaosKeys
  let history: ChaosHistory
  let board: ChaosBoard
  private var workload: ChaosWorkload
  private var connection: HTTPConnection?
  private var sent = 0

  init(
    _ number: Int, tenant: Int32, seed: UInt64, port: Int, keys: ChaosKeys,
    history: ChaosHistory, board: ChaosBoard
  ) {
    self.port = port
    self.keys = keys
    self.history = history
    self.board = board
    workload = ChaosWorkload(client: number, tenant: tenant, seed: seed, board: board)
  }

  mutating func run(until end: ContinuousClock.Instant) async {
    while .now < end {
      switch workload.next() {
      case .new(let command): await run(ChaosOperation(command), until: end)
      case .impostor(let command):
        await run(ChaosOperation(command, isImpostor: true), until: end)
      case .again(let operation): await attempt(operation)
      }
    }
    close()
  }

  func close() { connection?.close() }

  private mutating func run(
    _ operation: ChaosOperation, until end: ContinuousClock.Instant
  ) async {
    history.begin(operation)
    await attempt(operation, patience: workload.givesUp() ? .milliseconds(2) : Self.patience)
    while !operation.isDefinite, .now < end {
      try? await Task.sleep(for: workload.pause(20...400))
      await attempt(operation)
    }
    if operation.isDone, !operation.isImpostor { board.note(operation) }
  }
}

extension ChaosClient {
  /// Sends a request once.
  mutating func attempt(
    _ operation: ChaosOperation, patience: Duration = ChaosClient.patience
  ) async {
    let sent = ContinuousClock.now
    let answer = await answer(to: operation.command, patience)
    operation.record(ChaosAttempt(sent: sent, answered: .now, answer: answer))
  }

  private mutating func answer(
    to command: ReferenceLedger.Command, _ patience: Duration
  ) async -> HTTPConnection.Answer? {
    do {
      return try await open().post(command.request(keys), patience: patience)
    } catch {
      connection?.close()
      connection = nil
      return nil
    }
  }

  private mutating func open() async throws -> HTTPConnection {
    sent += 1
    if sent.isMultiple(of: Self.requestsPerConnection) { connection?.close() }
    if let connection, connection.isOpen { return connection }
    let new = try await HTTPConnection(to: port)
    connection = new
    return new
  }
}
