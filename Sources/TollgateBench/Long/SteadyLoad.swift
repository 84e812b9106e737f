import Logging
import Postgres

/// A worker at 64 connections for half an hour, with autovacuum as PostgreSQL ships it: whether it
/// stays as fast, and what it leaves in memory and on disk.
struct SteadyLoad: Sendable {
  private static let database = "steady"
  private static let accounts = 100_000

  let minutes: Int

  func run(_ conductor: Conductor, logger: Logger) async throws {
    let (server, journal) = (conductor.server, conductor.journal)
    await journal.say("steady: opening \(Self.accounts) accounts")
    let gate = try await Gate.create(
      Self.database, on: server, accounts: Self.accounts, logger: logger)
    try await server.pack(gate.database)
    try await watch(gate, server, journal)
    await journal.say("steady: verifying")
    try await Programs.verify(gate)
    try await journal.note("tollgate verify is clean after \(minutes) minutes of load")
    try await server.dropDatabases([gate.database])
  }

  private func watch(_ gate: Gate, _ server: BenchServer, _ journal: Journal) async throws {
    let relations = server.connection(to: gate.database)
    let log = SteadyLog(minutes: minutes, relations: relations, journal: journal)
    try await log.takeMoment(cycles: 0)
    try await server.rest(besides: 1)
    let contestant = HTTPContestant(gate: gate, connections: 64, distribution: .spread)
    let observation = try await WorkerProcess.with(1, of: gate) { workers in
      try await LoadProcess(
        options: contestant.options, workers: workers, postmaster: server.postmaster,
        onTick: log.tick
      ).run(Window(warmUp: 1, seconds: Double(minutes) * 60 + 1))
    }
    try await log.takeMoment(cycles: observation.operations)
    await relations.disconnect()
  }
}

/// Writes down what the ticks of the load say.
private actor SteadyLog {
  private let minutes: Int
  private let relations: Connection
  private let journal: Journal
  private var result = SteadyResult()
  private var ticks = 0
  private var lastMinute = 0

  init(minutes: Int, relations: Connection, journal: Journal) {
    self.minutes = minutes
    self.relations = relations
    self.journal = journal
  }

  func tick(_ cycles: Int, _ sample: Meter.Sample) async throws {
    ticks += 1
    let megabytes = sample.workerMegabytes.max() ?? 0
    if cycles >= 250_000, result.megabytesAfter500Thousand == nil {
      result.megabytesAfter500Thousand = megabytes
    }
    if cycles >= 2_500_000, result.megabytesAfter5Million == nil {
      result.megabytesAfter5Million = megabytes
    }
    if ticks == minutes * 30 { try await takeMoment(cycles: cycles) }
    if ticks.isMultiple(of: 60) { try await endMinute(cycles, megabytes) }
  }

  private func endMinute(_ cycles: Int, _ megabytes: Double) async throws {
    result.cyclesPerMinute.append(cycles - lastMinute)
    result.megabytesPerMinute.append(megabytes)
    lastMinute = cycles
    let rate = (Double(result.cyclesPerMinute.last ?? 0) / 60).short
    await journal.say("steady, minute \(ticks / 60): \(rate) cycles/s, \(megabytes.short) MB")
    try await publish()
  }

  /// The sizes of all tables and indexes now.
  func takeMoment(cycles: Int) async throws {
    let rows = try await relations.execute(
      SteadyResult.Relation.statement, [], until: .now + .seconds(60)
    ) { (row) throws(PostgresError) in try SteadyResult.Relation(&row) }
    result.moments.append(SteadyResult.Moment(cycles: cycles, relations: rows))
    try await publish()
  }

  private func publish() async throws {
    try await journal.update { [result] in $0.steady = result }
  }
}

extension SteadyResult {
  var charts: [any Chart] {
    let steps = cyclesPerMinute.indices.map { "\($0 + 1)" }
    return [
      LineChart(
        title: "H 64 spread: cycles per second by minute", steps: steps,
        lines: [
          LineChart.Line(name: "H 64", values: cyclesPerMinute.map { Double($0) / 60 })
        ]),
      LineChart(
        title: "H 64 spread: the worker's memory by minute, MB", steps: steps,
        lines: [LineChart.Line(name: "worker", values: megabytesPerMinute.map { $0 })]),
    ]
  }
}
