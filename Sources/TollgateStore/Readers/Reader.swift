import Logging
import Postgres

/// One connection that reads. An actor on the connection's own thread, as a ``Lane`` is.
actor Reader {
  private let number: Int
  private let connection: Connection
  private let inbox: ReadInbox
  private let patience: Duration
  private let logger: Logger

  init(
    _ configuration: ConnectionConfiguration, number: Int, inbox: ReadInbox, patience: Duration,
    logger: Logger
  ) {
    self.number = number
    connection = Connection(configuration, name: "reader-\(number)", logger: logger)
    self.inbox = inbox
    self.patience = patience
    self.logger = logger
  }

  nonisolated var unownedExecutor: UnownedSerialExecutor { connection.unownedExecutor }

  /// Works until the inbox is closed and drained.
  ///
  /// Connects before it takes a read, in a time of its own: bound to the time that one read has
  /// left, which after an outage is little for all of them, it would never succeed.
  func run() async {
    while inbox.waitForWork() {
      do {
        try await connection.connect(until: .now + patience)
        if let read = inbox.take(for: number) { await attempt(read) }
      } catch {
        logger.debug("no connection to read", metadata: ["error": "\(error)"])
        inbox.failed(number, StoreError(unserved: error))
      }
    }
    await connection.disconnect()
  }

  private func attempt(_ read: any QueuedRead) async {
    let now = ContinuousClock.now
    let end = min(read.deadline ?? now, now + patience)
    guard let error = await read.attempt(on: connection, until: end) else {
      return inbox.answered(number)
    }
    logger.debug("read failed", metadata: ["error": "\(error)"])
    if error.isOutcomeUnknown || error.isServerUnavailable {
      inbox.failed(number, error.isServerUnavailable ? StoreError(unserved: error) : nil)
      lost(read, error)
    } else {
      inbox.answered(number)
      read.fail(error.isTransient || error.code == .tooLate ? .unavailable : .failed(error))
    }
  }

  /// It changes nothing, so when its connection was lost it is tried again, if there is time. After
  /// a silence there is none.
  private func lost(_ read: any QueuedRead, _ error: PostgresError) {
    if error.code == .deadlineExceeded {
      read.fail(.unavailable)
    } else {
      inbox.putBack(read, StoreError(unserved: error))
    }
  }
}
