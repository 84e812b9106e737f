import Foundation
import Synchronization
import TestSupport
import Testing

/// Clients in closed loops who charge a few accounts, and repeat each charge until it is done.
final class FailoverCrowd: Sendable {
  static let clients = 12
  static let accounts = 5
  /// What a charge costs.
  static let credits: Int64 = 85

  /// A charge that succeeded.
  struct Charge: Sendable {
    let account: String
    let key: String
    /// Of the sending that was answered.
    let sent: ContinuousClock.Instant
    let answered: ContinuousClock.Instant
    let text: String
  }

  private struct State {
    var charges: [Charge] = []
    var isOver = false
  }

  private let port: Int
  private let serviceKey: String
  private let state = Mutex(State())

  init(port: Int, serviceKey: String) {
    self.port = port
    self.serviceKey = serviceKey
  }

  /// What succeeded so far.
  var charges: [Charge] { state.withLock { $0.charges } }

  /// Charges as long as `body` runs, and returns when nothing is open any more.
  func work<T: Sendable>(_ body: @Sendable () async throws -> T) async throws -> T {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for client in 0..<Self.clients { group.addTask { await self.run(client) } }
      defer { state.withLock { $0.isOver = true } }
      return try await body()
    }
  }

  private func run(_ client: Int) async {
    var connection: HTTPConnection?
    var number = 0
    while !state.withLock({ $0.isOver }) {
      number += 1
      let account = "a\((client + number) % Self.accounts)"
      let charge = await charge(account, key: "\(client)-\(number)", on: &connection)
      if let charge { state.withLock { $0.charges.append(charge) } }
    }
    connection?.close()
  }

  /// Sends everything that succeeded once more; those that are answered otherwise.
  func repeatAll() async -> [Charge] {
    let charges = self.charges
    return await withTaskGroup(of: [Charge].self) { group in
      for client in 0..<Self.clients {
        group.addTask {
          var connection: HTTPConnection?
          var different: [Charge] = []
          for index in stride(from: client, to: charges.count, by: Self.clients) {
            let charge = charges[index]
            let again = await self.charge(charge.account, key: charge.key, on: &connection)
            if again?.text != charge.text { different.append(charge) }
          }
          connection?.close()
          return different
        }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
  }
}

extension FailoverCrowd {
  /// Repeats a charge until it succeeds; `nil` when it is refused, or has no outcome for long.
  private func charge(
    _ account: String, key: String, on connection: inout HTTPConnection?
  ) async -> Charge? {
    let end = ContinuousClock.now + .seconds(60)
    while .now < end {
      let sent = ContinuousClock.now
      let answer = await answer(request(account, key), on: &connection)
      switch answer?.status {
      case 200:
        return Charge(
          account: account, key: key, sent: sent, answered: .now, text: answer?.text ?? "")
      case nil, 502, 503: try? await Task.sleep(for: .milliseconds(50))
      default:
        Issue.record("a charge was answered \(answer?.text ?? "")")
        return nil
      }
    }
    Issue.record("a charge has no outcome after a minute")
    return nil
  }

  private func answer(
    _ request: HTTPConnection.Request, on connection: inout HTTPConnection?
  ) async -> HTTPConnection.Answer? {
    do {
      if connection?.isOpen != true { connection = try await HTTPConnection(to: port) }
      return try await connection?.post(request, patience: .seconds(5))
    } catch {
      connection?.close()
      return nil
    }
  }

  private func request(_ account: String, _ key: String) -> HTTPConnection.Request {
    .init(
      path: "/v1/credits/actions/charge",
      headers: [("authorization", "Bearer \(serviceKey)"), ("idempotency-key", key)],
      body: """
        {"account_id":"\(account)","operation":"personas.generate","quantities":{"count":1}}
        """)
  }
}
