import HTTPTypes
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
      deadline: request.deadline)
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
  func batch(_ request: APIRequest) async throws -> Reply {
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
    return Reply(results: await run.finish())
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
  fileprivate init(results: [Result<Reply, any Error>]) {
    self.init { writer in
      writer.object { writer in
        writer.array("results") { writer in
          for result in results { result.write(to: &writer) }
        }
      }
    }
  }
}

extension Result where Success == Reply, Failure == any Error {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      switch self {
      case .success(let reply):
        writer.field("status", 200)
        writer.field("body", RawJSON(bytes: reply.body))
      case .failure(let error):
        let error = APIError(any: error)
        writer.field("status", error.status.code)
        writer.field("body", error)
      }
    }
  }
}

/// A document that is JSON already.
private struct RawJSON: JSONWritable {
  let bytes: [UInt8]

  func write(to writer: inout JSONWriter) { writer.raw(bytes: bytes) }
}
