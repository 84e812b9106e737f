import CLibpq
import Failpoints
import Foundation

/// One libpq connection, used by one thread at a time. Every call blocks that thread until the
/// answer or the deadline, whichever comes first.
struct Session: ~Copyable {
  private let connection: OpaquePointer
  private let warnings: Warnings
  private var prepared: Set<String> = []

  /// Connects. The look-up of a host's name alone is libpq's, and waits as long as the resolver.
  init(
    _ configuration: ConnectionConfiguration, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) {
    guard let connection = configuration.withParameters({ PQconnectStartParams($0, $1, 1) }) else {
      throw PostgresError(.unreachable, "libpq has no memory for a connection")
    }
    do {
      try Self.finishConnecting(connection, until: deadline)
    } catch {
      let failure =
        error.code == .unreachable ? Self.refusal(of: connection, error.message) : error
      PQfinish(connection)
      throw failure
    }
    self.connection = connection
    warnings = Warnings(of: connection)
    // Or to send more than the socket takes would wait for the server without a limit.
    PQsetnonblocking(connection, 1)
  }

  deinit { PQfinish(connection) }

  /// Whether the connection is between transactions; one that is not must never be used again.
  var isIdle: Bool {
    PQstatus(connection) == CONNECTION_OK && PQtransactionStatus(connection) == PQTRANS_IDLE
  }
}

extension Session {
  /// Executes a statement that is prepared at its first use.
  ///
  /// None of ours has a warning to give; the one that can come with its commit says that a
  /// standby may not have it.
  mutating func execute<T>(
    _ statement: Statement, _ parameters: [Parameter], until deadline: ContinuousClock.Instant,
    decode: (inout Row) throws(PostgresError) -> T
  ) throws(PostgresError) -> [T] {
    try prepare(statement, parameters, until: deadline)
    if deadline <= .now { throw .tooLate }
    let sent = withPointers(parameters) { values, lengths in
      let formats = [Int32](repeating: 1, count: parameters.count)
      return PQsendQueryPrepared(
        connection, statement.name, Int32(parameters.count), values, lengths, formats, 1)
    }
    Failpoint.pass("sent \(statement.name)")
    warnings.last = nil
    let rows = try rows(sent: sent, until: deadline, decode)
    if let warning = warnings.last { throw PostgresError(.unconfirmed, warning) }
    return rows
  }

  /// Executes SQL text that may hold several statements; returns nothing.
  func execute(script: String, until deadline: ContinuousClock.Instant) throws(PostgresError) {
    if deadline <= .now { throw .tooLate }
    _ = try rows(sent: PQsendQuery(connection, script), until: deadline) { _ in }
  }

  private mutating func prepare(
    _ statement: Statement, _ parameters: [Parameter], until deadline: ContinuousClock.Instant
  ) throws(PostgresError) {
    // The unnamed statement is replaced by every next one, so it is never kept.
    if !statement.name.isEmpty, prepared.contains(statement.name) { return }
    if deadline <= .now { throw .tooLate }
    let types = parameters.map(\.oid)
    let sent = PQsendPrepare(
      connection, statement.name, statement.sql, Int32(types.count), types)
    do {
      _ = try rows(sent: sent, until: deadline) { _ in }
    } catch {
      // Whatever became of the preparation, the statement itself was not sent.
      throw error.isOutcomeUnknown ? PostgresError(.unreachable, error.message) : error
    }
    prepared.insert(statement.name)
  }

  private func withPointers<R>(
    _ parameters: [Parameter],
    _ body: ([UnsafePointer<CChar>?], [Int32]) -> R
  ) -> R {
    let bytes = parameters.flatMap { $0.bytes ?? [] }
    return bytes.withUnsafeBytes { buffer in
      // An empty value still needs a pointer: NULL would make it an SQL NULL.
      var next = buffer.baseAddress ?? UnsafeRawPointer(bitPattern: 1)
      let values = parameters.map { parameter -> UnsafePointer<CChar>? in
        guard let length = parameter.bytes?.count else { return nil }
        defer { next = next?.advanced(by: length) }
        return next?.assumingMemoryBound(to: CChar.self)
      }
      return body(values, parameters.map { Int32($0.bytes?.count ?? 0) })
    }
  }
}

extension Session {
  /// Reads results until the connection is idle again; the first error wins.
  private func rows<T>(
    sent: Int32, until deadline: ContinuousClock.Instant,
    _ decode: (inout Row) throws(PostgresError) -> T
  ) throws(PostgresError) -> [T] {
    guard sent == 1 else { throw lost() }
    try flush(until: deadline)
    var rows: [T] = []
    var failure: PostgresError?
    while let result = try nextResult(until: deadline) {
      defer { PQclear(result) }
      do {
        try append(result, to: &rows, decode)
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return rows
  }

  private func append<T>(
    _ result: OpaquePointer, to rows: inout [T],
    _ decode: (inout Row) throws(PostgresError) -> T
  ) throws(PostgresError) {
    switch PQresultStatus(result) {
    case PGRES_TUPLES_OK:
      for index in 0..<PQntuples(result) {
        var row = Row(result: result, row: index)
        rows.append(try decode(&row))
      }
    case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
      break
    default:
      throw error(of: result)
    }
  }

  private func nextResult(
    until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> OpaquePointer? {
    while PQisBusy(connection) == 1 {
      try wait(for: POLLIN, until: deadline)
      guard PQconsumeInput(connection) == 1 else { throw lost() }
    }
    return PQgetResult(connection)
  }

  /// Sends what could not be sent at once. Reads meanwhile, for the server may wait for that.
  private func flush(until deadline: ContinuousClock.Instant) throws(PostgresError) {
    while true {
      let left = PQflush(connection)
      if left == 0 { return }
      guard left > 0 else { throw lost() }
      try wait(for: POLLIN | POLLOUT, until: deadline)
      guard PQconsumeInput(connection) == 1 else { throw lost() }
    }
  }

  private func wait(
    for events: Int32, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) {
    switch Self.wait(for: events, on: connection, until: deadline) {
    case .ready: return
    case .late:
      throw PostgresError(.deadlineExceeded, "no answer from PostgreSQL before the deadline")
    case .broken: throw lost()
    }
  }

  private func error(of result: OpaquePointer) -> PostgresError {
    guard let sqlState = PQresultErrorField(result, Int32(UInt8(ascii: "C"))) else {
      return lost()
    }
    let message = PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { String(cString: $0) }
    return PostgresError(.server(sqlState: String(cString: sqlState)), message ?? "no message")
  }

  private func lost() -> PostgresError {
    PostgresError(.connectionLost, Self.message(of: connection))
  }

  private static func message(of connection: OpaquePointer) -> String {
    String(cString: PQerrorMessage(connection))
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

extension Session {
  private enum Wait {
    case ready, late, broken
  }

  private static func wait(
    for events: Int32, on connection: OpaquePointer, until deadline: ContinuousClock.Instant
  ) -> Wait {
    var descriptor = pollfd(fd: PQsocket(connection), events: Int16(events), revents: 0)
    while true {
      let left = ContinuousClock.now.duration(to: deadline) / .milliseconds(1)
      let ready = poll(&descriptor, 1, Int32(min(max(left.rounded(.up), 0), 3_600_000)))
      if ready == 0 { return .late }
      if ready > 0 { return .ready }
      if errno != EINTR { return .broken }
    }
  }

  /// Leads a connection that was begun to its end, good or bad.
  private static func finishConnecting(
    _ connection: OpaquePointer, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) {
    var step = PQstatus(connection) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
    while step != PGRES_POLLING_OK {
      guard step == PGRES_POLLING_READING || step == PGRES_POLLING_WRITING else {
        throw PostgresError(.unreachable, message(of: connection))
      }
      let events = step == PGRES_POLLING_READING ? POLLIN : POLLOUT
      if case .late = wait(for: events, on: connection, until: deadline) {
        throw PostgresError(.unreachable, "no connection to PostgreSQL before the deadline")
      }
      step = PQconnectPoll(connection)
    }
  }
}

/// What the server warned of last. Notices of other severities are dropped.
private final class Warnings {
  var last: String?

  /// - Parameter connection: must be finished before this object ends.
  init(of connection: OpaquePointer) {
    PQsetNoticeReceiver(
      connection,
      { context, result in
        guard let context, let result,
          let severity = PQresultErrorField(result, Int32(UInt8(ascii: "V"))),
          String(cString: severity) == "WARNING"
        else { return }
        let message = PQresultErrorField(result, Int32(UInt8(ascii: "M")))
        Unmanaged<Warnings>.fromOpaque(context).takeUnretainedValue().last =
          message.map { String(cString: $0) } ?? "a warning"
      },
      Unmanaged.passUnretained(self).toOpaque())
  }
}
