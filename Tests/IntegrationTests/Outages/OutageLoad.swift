import Foundation
import Synchronization
import TestSupport
import Tollgate

/// Requests at a steady pace, whatever becomes of those before: as from very many clients, none of
/// whom waits for another.
final class OutageLoad: Sendable {
  /// Requests of one kind.
  struct Stream: Sendable {
    let route: OutageRoute
    let account: String
    let perSecond: Int
  }

  struct Answer: Sendable {
    let stream: Stream
    let sent: ContinuousClock.Instant
    let took: Duration
    /// 0 when none came.
    let status: Int
    let code: String?

    /// Whether the worker did what it is for.
    var isServed: Bool { status > 0 && status < 500 }
  }

  private struct State {
    var number = 0
    var isOver = false
    var idle: [HTTPConnection] = []
    var answers: [Answer] = []
  }

  /// Longer than any deadline: who waits for so long gets no answer.
  private static let patience = Duration.seconds(30)

  private let port: Int
  private let keys: OutageKeys
  private let state = Mutex(State())

  init(port: Int, keys: OutageKeys) {
    self.port = port
    self.keys = keys
  }

  /// Sends as long as `body` runs, and returns all answers when the last has come.
  func run<T: Sendable>(
    _ streams: [Stream], during body: @Sendable () async throws -> T
  ) async throws -> (T, [Answer]) {
    let result = try await withThrowingTaskGroup(of: Void.self) { group in
      for stream in streams { group.addTask { await self.send(stream) } }
      defer { state.withLock { $0.isOver = true } }
      return try await body()
    }
    return state.withLock { state in
      for connection in state.idle { connection.close() }
      state.idle = []
      return (result, state.answers)
    }
  }

  private func send(_ stream: Stream) async {
    let begin = ContinuousClock.now
    await withDiscardingTaskGroup { group in
      var count = 0
      while !state.withLock({ $0.isOver }) {
        count += 1
        group.addTask { await self.ask(stream) }
        let next = begin + .seconds(count) / stream.perSecond
        try? await Task.sleep(until: next, clock: .continuous)
      }
    }
  }

  private func ask(_ stream: Stream) async {
    let number = state.withLock { state in
      state.number += 1
      return state.number
    }
    let request = stream.route.request(number, about: stream.account, keys)
    let sent = ContinuousClock.now
    let answer = try? await exchange(request)
    let took = ContinuousClock.now - sent
    state.withLock {
      $0.answers.append(
        Answer(
          stream: stream, sent: sent, took: took, status: answer?.status ?? 0, code: answer?.code))
    }
  }

  private func exchange(_ request: HTTPConnection.Request) async throws -> HTTPConnection.Answer {
    let connection: HTTPConnection
    if let idle = state.withLock({ $0.idle.popLast() }) {
      connection = idle
    } else {
      connection = try await HTTPConnection(to: port)
    }
    let answer = try await connection.post(request, patience: Self.patience)
    if connection.isOpen { state.withLock { $0.idle.append(connection) } }
    return answer
  }
}

extension HTTPConnection.Answer {
  /// `error.code`
  var code: String? {
    guard status != 200, let json = try? JSON(parsing: text.utf8),
      case .string(let code)? = json["error"]?["code"]
    else { return nil }
    return code
  }
}
