import Foundation
import TestSupport
import Testing

/// A fault for a time, on a link of its own delay.
struct OutageCell: Sendable, CustomStringConvertible {
  let fault: OutageFault
  let seconds: Int
  /// Between worker and database, each way.
  var delay = Duration.zero

  var description: String { "\(fault.rawValue), \(seconds) s" }

  /// TOLLGATE_OUTAGES=1 asks for all.
  static var chosen: [OutageCell] {
    if environmentNumber("TOLLGATE_OUTAGES") == 1 {
      return OutageFault.allCases.flatMap { fault in
        [1, 4, 20].map { OutageCell(fault: fault, seconds: $0) }
      }
    }
    return [.stop, .kill, .cut, .lockedRow, .brokenAccount].map {
      OutageCell(fault: $0, seconds: 4)
    }
  }
}

/// What the answers of a cell say.
struct OutageFindings: Sendable {
  /// Until all is as before.
  static let recovery = Duration.seconds(5)
  /// A worker looks for what is late twenty times a second; the rest is for a busy machine.
  private static let slack = Duration.seconds(2)

  let cell: OutageCell
  let answers: [OutageLoad.Answer]
  let began: ContinuousClock.Instant
  let healed: ContinuousClock.Instant

  /// Answered before anything happened.
  var before: [OutageLoad.Answer] { answers.filter { $0.sent + $0.took < began } }

  var during: [OutageLoad.Answer] { answers.filter { $0.sent >= began && $0.sent < healed } }

  /// Sent when all must be as before.
  var after: [OutageLoad.Answer] { answers.filter { $0.sent >= healed + Self.recovery } }

  var late: [OutageLoad.Answer] {
    answers.filter { $0.took > $0.stream.route.deadline + Self.slack }
  }

  /// Of those who must not notice.
  var harmedOthers: [OutageLoad.Answer] {
    during.filter { !$0.isServed && $0.stream.account != OutageStage.harmedAccount && !$0.isProbe }
  }

  /// From the healing to the sending of the last request that failed.
  var recovered: Duration {
    let failures = answers.filter { $0.sent >= healed && !$0.isServed && !$0.isProbe }
    return failures.map { $0.sent - healed }.max() ?? .zero
  }

  func expect() {
    #expect(!before.isEmpty && before.allSatisfy(\.isServed), "\(Self.sum(before))")
    #expect(answers.allSatisfy { $0.status > 0 })
    #expect(late.isEmpty, "\(late.map { "\($0.stream.route) \($0.took)" }.prefix(10))")
    #expect(!after.isEmpty && after.allSatisfy(\.isServed), "\(Self.sum(after))")
    if cell.fault.sparesOthers { #expect(harmedOthers.isEmpty, "\(Self.sum(harmedOthers))") }
    for answer in answers where !answer.isServed { expectRefusal(answer) }
  }

  /// What fails says that the database is the reason.
  private func expectRefusal(_ answer: OutageLoad.Answer) {
    let isBroken =
      cell.fault.breaksAccount && answer.stream.account == OutageStage.harmedAccount
    #expect([502, 503].contains(answer.status) || isBroken, "\(answer)")
  }

  /// How many there were, by status and code.
  static func sum(_ answers: [OutageLoad.Answer]) -> [String: Int] {
    Dictionary(grouping: answers) { answer in
      answer.code.map { "\(answer.status) \($0)" } ?? "\(answer.status)"
    }.mapValues(\.count)
  }
}

extension OutageLoad.Answer {
  /// Whether it says of the worker what it knows, so that not to be ready is no failure.
  fileprivate var isProbe: Bool { stream.route == .ready }
}

extension OutageFindings {
  func report() throws {
    print(row)
    var report = TortureReport(part: "outages")
    report.operations = answers.count
    report.faults = [cell.description: 1]
    report.successes = Dictionary(grouping: answers.filter(\.isServed)) {
      $0.stream.route.rawValue
    }.mapValues(\.count)
    report.recoverySeconds = [recovered / .seconds(1)]
    report.table = [row]
    try report.write()
  }

  /// The cell's line of the table: fault, answers, slowest single one and batch, served of those
  /// sent meanwhile (of the harmed account, of all others), recovered after.
  var row: String {
    let harmed = during.filter { $0.stream.account == OutageStage.harmedAccount }
    let others = during.filter { $0.stream.account != OutageStage.harmedAccount && !$0.isProbe }
    let columns = [
      cell.description, "\(answers.count)", Self.slowest(answers.filter { !$0.isOfBatch }),
      Self.slowest(answers.filter(\.isOfBatch)), Self.share(harmed), Self.share(others),
      Self.seconds(recovered),
    ]
    return "| " + columns.joined(separator: " | ") + " |"
  }

  private static func slowest(_ answers: [OutageLoad.Answer]) -> String {
    seconds(answers.map(\.took).max() ?? .zero)
  }

  private static func seconds(_ duration: Duration) -> String {
    String(format: "%.2f s", duration / .seconds(1))
  }

  private static func share(_ answers: [OutageLoad.Answer]) -> String {
    let served = answers.count(where: \.isServed)
    return answers.isEmpty ? "" : "\(served * 100 / answers.count) %"
  }
}

extension OutageLoad.Answer {
  fileprivate var isOfBatch: Bool { stream.route == .batch }
}
