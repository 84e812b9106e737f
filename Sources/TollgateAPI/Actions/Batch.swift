import HTTPTypes
import Logging
import Tollgate
import TollgateStore

/// One element of a batch: `{"action": …, "idempotency_key": …, "body": {…}}`.
private struct BatchElement {
  let action: Action
  let request: APIRequest

  init(_ json: JSON, of request: APIRequest) throws(APIError) {
    var fields = try RequestFields(json)
    let name = fields.required("action") { $0.string($1) }
    let key = fields.identifier("idempotency_key")
    let action = name.flatMap { Action(rawValue: $0) }
    if name != nil, action == nil {
      let names = Action.allCases.map(\.rawValue).joined(separator: ", ")
      fields.reject("action", "Input should be one of \(names)", "enum")
    }
    try fields.validate()
    guard let action else { throw .internalFault }
    guard action.isAllowed(to: request.principal.role) else { throw .forbidden }
    self.action = action
    self.request = APIRequest(
      principal: request.principal, body: fields["body"] ?? .object([:]), idempotencyKey: key,
      deadline: request.deadline, date: request.date)
  }

  /// Whether preparing it reads what earlier elements of the batch may write.
  var readsLedger: Bool {
    switch action {
    case .quote: true
    case .capture, .extend: request.body["quantities"] != nil
    default: false
    }
  }
}

extension API {
  static let batchLimit = 1_000

  /// Up to 1,000 actions, one result each in their order; one that fails does not fail the others.
  /// Actions of one account happen in their order; all that can share transactions do.
  func batch(
    _ request: APIRequest, requestID: String, logger: Logger
  ) async throws -> Reply {
    guard case .array(let elements)? = request.body["actions"], elements.count <= Self.batchLimit
    else {
      throw RequestFields.error([
        RequestFields.problem(
          [.string("actions")], "Input should be an array of at most \(Self.batchLimit) actions",
          "list_type")
      ])
    }
    var run = BatchRun(lanes: lanes, deadline: request.deadline)
    for json in elements {
      do {
        let element = try BatchElement(json, of: request)
        if element.readsLedger { await run.flush() }
        run.append(try await prepare(element.action, element.request))
      } catch {
        run.append(error)
      }
    }
    let results = await run.finish()
    results.logFaults(requestID: requestID, logger)
    return Reply(results: results, requestID: requestID)
  }
}

/// Gathers commands, submits them together, and keeps the results in order.
private struct BatchRun {
  typealias Slot = (index: Int, reply: @Sendable (Outcome) throws -> Reply)

  let lanes: Lanes
  let deadline: ContinuousClock.Instant
  private var results: [Result<Reply, any Error>] = []
  private var commands: [Command] = []
  private var slots: [Slot] = []

  init(lanes: Lanes, deadline: ContinuousClock.Instant) {
    self.lanes = lanes
    self.deadline = deadline
  }

  mutating func append(_ error: any Error) { results.append(.failure(error)) }

  mutating func append(_ action: PreparedAction) {
    switch action {
    case .answer(let reply): results.append(.success(reply))
    case .command(let command, let reply):
      slots.append((results.count, reply))
      commands.append(command)
      results.append(.failure(APIError.internalFault))
    }
  }

  /// Runs what has gathered.
  mutating func flush() async {
    let outcomes = await lanes.submit(commands, until: deadline)
    for (slot, outcome) in zip(slots, outcomes) {
      results[slot.index] = Result { try slot.reply(try outcome.get()) }
    }
    commands.removeAll()
    slots.removeAll()
  }

  mutating func finish() async -> [Result<Reply, any Error>] {
    await flush()
    return results
  }
}

extension Reply {
  fileprivate init(results: [Result<Reply, any Error>], requestID: String) {
    self.init { writer in
      writer.object { writer in
        writer.array("results") { writer in
          for result in results { result.write(to: &writer, requestID: requestID) }
        }
      }
    }
  }
}

extension [Result<Reply, any Error>] {
  /// One line tells of all: there may be a thousand, of one cause.
  fileprivate func logFaults(requestID: String, _ logger: Logger) {
    let faults = compactMap(\.fault)
    guard let first = faults.first(where: { $0 as? StoreError != .overloaded }) else { return }
    logger.error(
      "actions of a batch failed",
      metadata: [
        "count": "\(faults.count)", "error": "\(first)", "request_id": "\(requestID)",
      ])
  }
}

extension Result where Success == Reply, Failure == any Error {
  /// What is not the client's own fault.
  fileprivate var fault: (any Error)? {
    guard case .failure(let error) = self, APIError(any: error).status.kind == .serverError else {
      return nil
    }
    return error
  }

  fileprivate func write(to writer: inout JSONWriter, requestID: String) {
    writer.object { writer in
      switch self {
      case .success(let reply):
        writer.field("status", 200)
        writer.field("body", RawJSON(bytes: reply.body))
      case .failure(let error):
        let error = APIError(any: error)
        writer.field("status", error.status.code)
        writer.field("body", TracedError(error: error, traceID: requestID))
      }
    }
  }
}

/// A document that is JSON already.
private struct RawJSON: JSONWritable {
  let bytes: [UInt8]

  func write(to writer: inout JSONWriter) { writer.raw(bytes: bytes) }
}

private struct TracedError: JSONWritable {
  let error: APIError
  let traceID: String

  func write(to writer: inout JSONWriter) { error.write(to: &writer, traceID: traceID) }
}
