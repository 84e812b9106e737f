import Logging
import Postgres
import Testing

@testable import TollgateStore

@Suite struct ReadinessTests {
  private let readiness = Readiness(
    ConnectionConfiguration(url: "postgresql://127.0.0.1:1/none"), logger: Logger(label: "test"))
  private let start = ContinuousClock.now

  @Test func aWorkerIsNotReadyBeforeItHasReachedTheDatabase() {
    #expect(!readiness.isReady(at: start))
  }

  @Test func aWorkerIsReadyUntilItsLastSuccessIsThreeSecondsOld() {
    readiness.succeeded(at: start)
    #expect(readiness.isReady(at: start + .seconds(3)))
    #expect(!readiness.isReady(at: start + .milliseconds(3_001)))
    readiness.succeeded(at: start + .seconds(10))
    #expect(readiness.isReady(at: start + .seconds(11)))
  }
}
