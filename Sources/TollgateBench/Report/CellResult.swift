/// One cell in one round: what was done, and what each operation cost. An operation is a cycle of
/// a reserve and a capture, except where the cell's name says otherwise.
struct CellResult: Codable, Sendable {
  let cell: String
  let round: Int
  let seconds: Double
  let operations: Int
  let operationsPerSecond: Double
  /// Milliseconds, by kind of request.
  let latencies: [String: Latency]
  /// Microseconds of processor time an operation, in user code and in the kernel.
  let postgresUserMicroseconds: Double
  let postgresSystemMicroseconds: Double
  let workerUserMicroseconds: Double
  let workerSystemMicroseconds: Double
  /// Processors that the load generator kept busy, and those that the rest of the machine did
  /// (what its host took away counts as that).
  let driverCores: Double
  let otherCores: Double
  /// Over the whole cell, from a checkpoint on: pages are written whole at their first change.
  let walBytesPerOperation: Double
  let flushesPerOperation: Double
  /// Of each worker, at the end.
  let workerMegabytes: [Double]

  init(
    cell: String, round: Int, _ observation: Observation, before: WALCounter, after: WALCounter
  ) {
    self.cell = cell
    self.round = round
    seconds = observation.seconds
    operations = observation.operations
    operationsPerSecond = Double(operations) / seconds
    latencies = observation.latencies
    let (from, to) = (observation.before, observation.after)
    let elapsed = Double(to.time - from.time) / 1e9
    let postgres = to.postgres - from.postgres
    let workers = to.workers - from.workers
    let driver = (to.driver - from.driver).total
    let microseconds = 1e6 / Double(max(1, operations))
    postgresUserMicroseconds = postgres.user * microseconds
    postgresSystemMicroseconds = postgres.system * microseconds
    workerUserMicroseconds = workers.user * microseconds
    workerSystemMicroseconds = workers.system * microseconds
    driverCores = driver / elapsed
    otherCores =
      max(0, to.machine - from.machine - postgres.total - workers.total - driver) / elapsed
    let all = Double(max(1, observation.allOperations))
    walBytesPerOperation = Double(after.bytes - before.bytes) / all
    flushesPerOperation = Double(after.flushes - before.flushes) / all
    workerMegabytes = to.workerMegabytes
  }
}
