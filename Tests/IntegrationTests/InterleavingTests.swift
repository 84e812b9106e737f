import ReferenceLedger
import TestSupport
import Testing

extension Integration {
  /// Two calls on one account, in every order of their steps: what comes out is what would have
  /// come out had one of them come after the other.
  @Suite struct InterleavingTests {
    private typealias Command = ReferenceLedger.Command

    private struct Case: Sendable {
      let name: String
      let first: ReferenceLedger.Command
      let second: ReferenceLedger.Command
      let order: Stepper.Order
      let setting: Setting
    }

    private static let width = 3

    @Test func everyPairOnOneHold() async throws {
      let cases = Meeting.allCases.flatMap { first in
        Meeting.allCases.flatMap { second in Self.cases(first, second) }
      }
      #expect(cases.count == 10 * 10 * 3 * 4)
      try await Self.run(cases)
    }

    private static func cases(_ first: Meeting, _ second: Meeting) -> [Case] {
      Meeting.Variant.allCases.flatMap { variant in
        Stepper.Order.allCases.map { order in
          Case(
            name: "\(first), \(second), \(variant), \(order)",
            first: first.command(variant, isSecond: false),
            second: second.command(variant, isSecond: true), order: order,
            setting: .openHold(isOverdue: first == .expire || second == .expire))
        }
      }
    }

    /// There is no row to lock yet, and a refusal takes the new account away again.
    @Test func everyPairOfFirstCalls() async throws {
      func reserve(_ key: String, _ price: Int64) -> Command {
        .reserve(.init(.init(Setting.account, key), [.init("personas", price)]))
      }
      let calls: [Command] = [
        reserve("one", 600), reserve("two", 700), reserve("much", 1_200),
        .grant(.init(Setting.account, "one", 300)), .grant(.init(Setting.account, "two", -1)),
      ]
      let cases = calls.flatMap { first in
        calls.flatMap { second in
          [Stepper.Order.serial, .overlapping, .rolledBack].map {
            Case(
              name: "\(first.body), \(second.body), \($0)", first: first, second: second,
              order: $0, setting: .newAccount)
          }
        }
      }
      try await Self.run(cases)
    }

    /// The deadline is 59 s away and the grace 300 s long.
    @Test func whatTimeItIsIsAskedWhenTheAccountIsLocked() async throws {
      try await withLedger { ledger in
        try await Stepper.prepare(ledger)
        let stepper = try await Stepper(ledger, gate: 0)
        let waits: [Int64] = [58, 59, 60, 359, 360]
        for (number, meeting) in Meeting.allCases.enumerated() {
          for seconds in waits {
            let setting = Setting.openHold(isOverdue: false)
            let prefix = "w\(number)-\(seconds)"
            let command = meeting.command(.distinct, isSecond: false)
            let result = try await stepper.run(
              command, waiting: seconds, after: setting, prefix: prefix)
            var model = setting.model
            model.advance(seconds: seconds)
            let outcomes = model.apply([command])
            let books = ModelBooks.lines(of: model, stepper.session(prefix: prefix))
            #expect(
              result == .init(a: nil, b: outcomes, books: books), "\(meeting), \(seconds) s")
          }
        }
        await stepper.disconnect()
        try await Self.expectHealth(of: ledger)
      }
    }

    private static func run(_ cases: [Case]) async throws {
      try await withLedger { ledger in
        try await Stepper.prepare(ledger)
        try await withThrowingDiscardingTaskGroup { group in
          for gate in 0..<width {
            group.addTask {
              let stepper = try await Stepper(ledger, gate: gate)
              for index in stride(from: gate, to: cases.count, by: width) {
                try await check(cases[index], number: index, stepper)
              }
              await stepper.disconnect()
            }
          }
        }
        try await expectHealth(of: ledger)
      }
      var report = TortureReport(part: "interleavings")
      report.operations = cases.count
      report.successes = ["interleaving": cases.count]
      try report.write()
    }

    private static func expectHealth(of ledger: TestLedger) async throws {
      try await ModelSession.replaceClock(of: ledger)
      while try await ledger.expire() ?? 0 > 0 {}
      #expect(try await ledger.violations() == [])
    }

    private static func check(_ test: Case, number: Int, _ stepper: Stepper) async throws {
      let result = try await stepper.run(
        test.first, test.second, test.order, after: test.setting, prefix: "c\(number)")
      let session = stepper.session(prefix: "c\(number)")
      let expected = expected(test).map { outcomes in
        Stepper.Result(
          a: outcomes.a, b: outcomes.b, books: ModelBooks.lines(of: outcomes.model, session))
      }
      #expect(expected.contains(result), "\(test.name)")
    }

    /// What may come out: of both serial orders, or of B alone when A was rolled back.
    private static func expected(
      _ test: Case
    ) -> [(
      a: [ReferenceLedger.Outcome]?, b: [ReferenceLedger.Outcome], model: ReferenceLedger
    )] {
      var (ab, ba, alone) = (test.setting.model, test.setting.model, test.setting.model)
      if test.order == .rolledBack {
        let outcomes = alone.apply([test.second])
        return [(nil, outcomes, alone)]
      }
      let (firstA, secondB) = (ab.apply([test.first]), ab.apply([test.second]))
      let (firstB, secondA) = (ba.apply([test.second]), ba.apply([test.first]))
      let serial = (firstA, secondB, ab)
      return test.order == .serial ? [serial] : [serial, (secondA, firstB, ba)]
    }
  }
}
