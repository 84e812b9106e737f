import Testing

@testable import Postgres

/// How a connection is made: to which hosts, and how often it is tried.
@Suite struct ConnectingTests {
  private static func urls(_ url: String) -> [String] {
    ConnectionConfiguration(url: url).byHost.map(\.url)
  }

  @Test(arguments: [
    "postgresql://user@host:1/gate", "host=/tmp dbname=gate", "not a URL", "",
  ])
  func aURLWithOneHostStaysAsItIs(url: String) {
    #expect(Self.urls(url) == [url])
  }

  @Test func eachHostOfAURLGetsItsPort() {
    #expect(
      Self.urls("postgresql://me:p%27w%5C@one:1,two:2/gate?sslmode=disable") == [
        #"dbname='gate' host='one' password='p\'w\\' port='1' sslmode='disable' user='me'"#,
        #"dbname='gate' host='two' password='p\'w\\' port='2' sslmode='disable' user='me'"#,
      ])
    #expect(
      Self.urls("host=one,two hostaddr=10.0.0.1,10.0.0.2 port=7") == [
        "host='one' hostaddr='10.0.0.1' port='7'", "host='two' hostaddr='10.0.0.2' port='7'",
      ])
    #expect(Self.urls("host=one,two") == ["host='one'", "host='two'"])
  }

  @Test func thePauseGrowsWithEachFailureUpToItsLimit() {
    var pause = ConnectionPause()
    let now = ContinuousClock.now
    #expect(pause.end == nil)
    for longest in [50, 100, 200, 400, 500, 500] {
      pause.failed(at: now)
      let left = pause.end.map { $0 - now } ?? .zero
      #expect(left <= .milliseconds(longest) && left >= .milliseconds(longest) / 2)
    }
    pause.succeeded()
    #expect(pause.end == nil)
    pause.failed(at: now)
    #expect(pause.end.map { $0 - now <= ConnectionPause.first } == true)
  }
}
