import Logging
import Postgres
import Testing

@testable import TollgateStore

@Suite struct ReadinessTests {
  private let readiness = Readiness(
    ConnectionConfiguration(url: "postgresql://127.0.0.1:1/none"), logger: Logger(label: "test"))
  private let start = ContinuousClock.now

  @Test func aWorkerIsNotReadyBeforeItHasReachedTheDatabase() {
    #expect(readiness.failure(at: start) == .unavailable)
  }

  @Test func aWorkerIsReadyUntilItsLastSuccessIsThreeSecondsOld() {
    readiness.succeeded(at: start)
    #expect(readiness.failure(at: start + .seconds(3)) == nil)
    #expect(readiness.failure(at: start + .milliseconds(3_001)) == .unavailable)
    readiness.succeeded(at: start + .seconds(10))
    #expect(readiness.failure(at: start + .seconds(11)) == nil)
  }
}
