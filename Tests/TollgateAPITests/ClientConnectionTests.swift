import Metrics
import NIOCore
import ReferenceLedger
import Testing

@testable import TollgateAPI

/// The rules of a connection under whatever can happen to it, in any order.
@Suite struct ClientConnectionTests {
  @Test func whateverHappensEachRequestIsAnsweredOnceOrTheConnectionIsClosed() {
    for seed in 0..<100_000 {
      var run = ConnectionRun(seed: UInt64(seed))
      run.happen(steps: 30)
      run.end()
      guard run.problems.isEmpty else {
        Issue.record("seed \(seed): \(run.problems), after \(run.story)")
        return
      }
    }
  }

  /// A run that breaks no rule because nothing happens in it would prove nothing.
  @Test func theRunsComeToAllThatCanHappen() {
    var seen: Set<String> = []
    for seed in 0..<2_000 {
      var run = ConnectionRun(seed: UInt64(seed))
      run.happen(steps: 30)
      run.end()
      seen.formUnion(run.story.map { String($0.prefix { $0 != " " }) })
    }
    #expect(
      seen == [
        "answered", "began", "body", "broke", "checked", "closed", "crowded", "delivered", "end",
        "exhausted", "head", "inputClosed", "refused", "stop", "tick", "writable",
      ])
  }

  private static let now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

  private static func connection(_ limits: DoorLimits = DoorLimits()) -> ClientConnection {
    ClientConnection(limits, at: now)
  }

  private static func request(_ length: Int) -> ClientConnection.Request {
    ClientConnection.Request(body: .length(length), limit: 1_000)
  }

  @Test func aBodyOfAnUnknownCallerIsNotTakenInBeforeTheKeyIsLookedUp() {
    var connection = Self.connection()
    _ = connection.head(Self.request(100), .unknown, at: Self.now)
    #expect(!connection.takesInput)
    #expect(!connection.reads(holding: 1))
    _ = connection.checked(nil, at: Self.now)
    #expect(connection.takesInput)
  }

  @Test func aLengthOverTheLimitIsRefusedFromTheHead() {
    for (length, isLast) in [(1_001, false), (Int.max, true)] {
      var connection = Self.connection()
      guard
        case .refuse(let error, isLast) = connection.head(
          Self.request(length), .granted, at: Self.now)
      else {
        Issue.record("not refused")
        continue
      }
      #expect(error.status.code == 413)
    }
  }

  @Test func whoIsToBeToldToGoOnIsTold() {
    var request = Self.request(100)
    request.expectsContinue = true
    var connection = Self.connection()
    guard case .sendContinue = connection.head(request, .granted, at: Self.now) else {
      Issue.record("not told")
      return
    }
  }

  /// It may send the body all the same, or not: nobody could tell what comes next.
  @Test func whoIsRefusedInsteadOfToldToGoOnIsSentAway() {
    var request = Self.request(100)
    request.expectsContinue = true
    var connection = Self.connection()
    guard
      case .refuse(_, isLast: true) = connection.head(
        request, .refused(.unauthorized), at: Self.now)
    else {
      Issue.record("the connection is kept")
      return
    }
  }

  @Test func theNextRequestWaitsUntilTheClientReads() {
    var connection = Self.connection()
    _ = connection.head(Self.request(0), .granted, at: Self.now)
    _ = connection.end(at: Self.now)
    connection.becameWritable(false)
    _ = connection.answered(more: true, at: Self.now)
    #expect(!connection.takesInput)
    #expect(!connection.reads(holding: 0))
    connection.becameWritable(true)
    #expect(connection.takesInput)
  }

  @Test func aRequestThatDoesNotComeInTimeIsRefused() {
    let limits = DoorLimits()
    var connection = Self.connection()
    _ = connection.head(Self.request(100), .granted, at: Self.now)
    let late = Self.now + limits.request
    _ = connection.body(1, at: late - .nanoseconds(1))
    guard case .refuse(let error, isLast: true) = connection.tick(at: late) else {
      Issue.record("not refused")
      return
    }
    #expect(error.status.code == 408)
  }

  @Test func aConnectionWithoutARequestIsClosedAfterAWhileAndWithADelayWhenTheWorkerStops() {
    let limits = DoorLimits()
    var connection = Self.connection()
    #expect(connection.deadline == Self.now + limits.request)
    _ = connection.head(Self.request(0), .granted, at: Self.now)
    _ = connection.end(at: Self.now)
    _ = connection.answered(more: false, at: Self.now)
    #expect(connection.deadline == Self.now + limits.idle)
    connection.stop(at: Self.now)
    #expect(connection.deadline == Self.now + limits.stopGrace)
  }

  @Test func afterTheLastAnswerNoMoreIsReadThanIsOfUse() {
    let limits = DoorLimits()
    var connection = Self.connection(limits)
    _ = connection.broke(.unreadable("x"), at: Self.now)
    connection.dropped(limits.lingering - 1)
    #expect(connection.reads(holding: 0))
    connection.dropped(1)
    #expect(!connection.reads(holding: 0))
  }

  /// Also when the client wants its connection closed: it may send all before it reads.
  @Test func theRestOfARefusedBodyIsReadBeforeTheConnectionIsClosed() {
    let limits = DoorLimits()
    var connection = Self.connection(limits)
    var request = Self.request(100)
    request.isKeptAlive = false
    _ = connection.head(request, .refused(.unauthorized), at: Self.now)
    connection.dropped(limits.dropped - 1)
    #expect(connection.reads(holding: 0))
    _ = connection.delivered(at: Self.now)
    #expect(connection.deadline == Self.now + limits.request)
    connection.dropped(1)
    #expect(!connection.reads(holding: 0))
  }

  @Test func aBodyForWhichThereIsNoRoomIsRefusedAndTheConnectionKept() {
    var connection = Self.connection()
    _ = connection.head(Self.request(100), .granted, at: Self.now)
    _ = connection.body(10, at: Self.now)
    guard case .refuse(let error, isLast: false) = connection.crowded(at: Self.now) else {
      Issue.record("not refused")
      return
    }
    #expect(error.status.code == 503)
    #expect(connection.takesInput)
  }

  @Test func roomForBodiesIsGivenBack() {
    let room = BodyRoom(bytes: 100, taken: Gauge(label: "bytes"))
    var first: BodyRoom.Share? = BodyRoom.Share(room)
    #expect(first?.grow(to: 60) == true)
    #expect(first?.grow(to: 100) == true)
    let second = BodyRoom.Share(room)
    #expect(!second.grow(to: 1))
    first = nil
    #expect(second.grow(to: 100))
  }

  @Test func aStopLetsAnswersBeSentThatWaitForTheirClient() {
    let limits = DoorLimits()
    var connection = Self.connection(limits)
    _ = connection.head(Self.request(0), .granted, at: Self.now)
    _ = connection.end(at: Self.now)
    connection.becameWritable(false)
    _ = connection.answered(more: true, at: Self.now)
    connection.stop(at: Self.now)
    guard case .finish = connection.tick(at: Self.now + limits.stopGrace) else {
      Issue.record("closed before they are sent")
      return
    }
    #expect(connection.deadline == Self.now + limits.stop)
  }

  @Test func theLastAnswerOfAStoppingWorkerSaysSo() {
    var connection = Self.connection()
    _ = connection.head(Self.request(0), .granted, at: Self.now)
    _ = connection.end(at: Self.now)
    connection.stop(at: Self.now)
    #expect(connection.answered(more: true, at: Self.now) == true)
    #expect(!connection.takesInput)
  }
}
