import Postgres
import Testing

@testable import TollgateStore

@Suite struct RetryPolicyTests {
  private static func server(_ sqlState: String) -> PostgresError {
    PostgresError(.server(sqlState: sqlState), "")
  }

  @Test(arguments: ["40P01", "40001", "55P03", "57014"])
  func aPassingRefusalIsRepeatedThreeTimes(sqlState: String) {
    var policy = RetryPolicy()
    for _ in 1...RetryPolicy.transientLimit {
      guard case .retry = policy.next(after: Self.server(sqlState), timeLeft: .seconds(2)) else {
        Issue.record("should be repeated")
        return
      }
    }
    #expect(
      policy.next(after: Self.server(sqlState), timeLeft: .seconds(2)) == .giveUp(.unavailable))
  }

  /// The last is what PgBouncer says when its connection to PostgreSQL breaks.
  @Test(arguments: [
    PostgresError.Code.connectionLost, .deadlineExceeded, .server(sqlState: "08P01"),
  ])
  func aLostAnswerIsRepeatedWhileThereIsTimeAndThenUnknown(code: PostgresError.Code) {
    var policy = RetryPolicy()
    guard case .retry = policy.next(after: PostgresError(code, ""), timeLeft: .seconds(1)) else {
      Issue.record("should be repeated")
      return
    }
    #expect(
      policy.next(after: PostgresError(code, ""), timeLeft: .zero) == .giveUp(.outcomeUnknown))
  }

  @Test func onceUnknownItStaysUnknownUntilARepeatIsAnswered() {
    var policy = RetryPolicy()
    _ = policy.next(after: PostgresError(.connectionLost, ""), timeLeft: .seconds(1))
    #expect(
      policy.next(after: PostgresError(.unreachable, ""), timeLeft: .zero)
        == .giveUp(.outcomeUnknown))
  }

  @Test(arguments: [
    ("57P01", StoreError.unavailable), ("57P03", .unavailable), ("53300", .unavailable),
    ("25006", .readOnly),
  ])
  func aServerThatCannotServeIsTriedAgainAndThenNamed(sqlState: String, reason: StoreError) {
    var policy = RetryPolicy()
    guard case .retry = policy.next(after: Self.server(sqlState), timeLeft: .seconds(1)) else {
      Issue.record("should be repeated")
      return
    }
    #expect(policy.next(after: Self.server(sqlState), timeLeft: .zero) == .giveUp(reason))
  }

  @Test func whatWasTooLateToBeSentIsNotRepeated() {
    var policy = RetryPolicy()
    let tooLate = PostgresError(.tooLate, "")
    #expect(policy.next(after: tooLate, timeLeft: .seconds(1)) == .giveUp(.unavailable))
    _ = policy.next(after: PostgresError(.connectionLost, ""), timeLeft: .seconds(1))
    #expect(policy.next(after: tooLate, timeLeft: .seconds(1)) == .giveUp(.outcomeUnknown))
  }

  @Test(arguments: ["22003", "23514", "42883"])
  func aRefusedBatchIsTriedItemByItem(sqlState: String) {
    var policy = RetryPolicy()
    #expect(policy.next(after: Self.server(sqlState), timeLeft: .seconds(1)) == .split)
  }
}
