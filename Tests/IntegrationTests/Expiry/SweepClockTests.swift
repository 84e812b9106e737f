import TestSupport
import Testing

extension Integration {
  /// Sweeps under a clock that is set back or forward.
  @Suite struct SweepClockTests {
    @Test(arguments: [-0.001, -1, -90, -86_400, 0.001, 1, 90, 86_400])
    func holdsFromBeforeAndAfterAStepEnd(_ step: Double) async throws {
      try await SweptLedger.with { swept in
        try await swept.reserve(10, "before", ttlSeconds: 5)
        _ = try await swept.sweep(0...4)
        // Between two sweeps, so that a small step is seen by nobody.
        try await swept.setClock(4.5 + step)
        try await swept.reserve(10, "after", ttlSeconds: 1)
        let start = Int((4.5 + step).rounded(.up))
        var expired = try await swept.sweep(start...(start + 4)).expired
        #expect(try await swept.open("r.ttl_seconds = 1") == 0)
        #expect(try await swept.forgotten() == 0)
        // Those from before end by their own deadline.
        expired += try await swept.sweep(6...9).expired
        #expect(expired == 20)
        #expect(try await swept.open() == 0)
        let early = try await swept.ledger.query(
          "SELECT count(*) FROM tollgate_data.reservation_lines WHERE closed_at < expires_at")
        #expect(early == ["0"])
      }
    }

    /// Forward for so long that holds were made, and back.
    @Test func holdsMadeWhileTheClockWasAheadEndByTheirDeadline() async throws {
      try await SweptLedger.with { swept in
        _ = try await swept.sweep(0...1)
        _ = try await swept.sweep(86_400...86_402)
        try await swept.reserve(10, "ahead", ttlSeconds: 5)
        let back = try await swept.sweep(3...8)
        #expect(back.expired == 0)
        #expect(try await swept.sweep(86_406...86_410).expired == 10)
      }
    }

    /// The retry of a day ahead is not waited for.
    @Test func anAccountThatWaitsIsTriedAgainAfterAStepBack() async throws {
      try await SweptLedger.with { swept in
        try await swept.reserve(1, "a", ttlSeconds: 5)
        try await swept.whileOpen("PERFORM 1 FROM tollgate_data.accounts FOR UPDATE") {
          let locked = try await swept.sweep(86_400...86_402, settling: false)
          #expect(locked.expired == 0)
        }
        #expect(try await swept.sweep(10...12).expired == 1)
      }
    }
  }
}
