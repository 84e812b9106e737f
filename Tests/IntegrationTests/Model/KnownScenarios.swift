import ReferenceLedger

/// Scenarios in which the SQL functions once differed from the reference ledger.
struct KnownScenario: Sendable {
  let description: String
  let scenario: Scenario

  init(_ description: String, _ steps: Scenario.Step...) {
    self.description = description
    scenario = Scenario(steps)
  }

  private static let account = ReferenceLedger.AccountID(tenant: 1, name: "a")
  private static let hold = ReferenceLedger.HoldID(account, "hold")
  private static let missing = ReferenceLedger.HoldID(account, "missing")
  private static let reserve = Scenario.Step.batch([
    .reserve(.init(hold, [.init("personas", 100)], ttlSeconds: 20))
  ])
  private static let stage = ReferenceLedger.Command.capture(
    .init(hold, credits: ["personas": 10], isFinal: false))

  static let all = [
    KnownScenario(
      "a late stage is a new stage every time", reserve, .advance(seconds: 20),
      .batch([.expire([hold])]), .batch([stage]), .batch([stage])),
    KnownScenario(
      "a late stage under a new key is a new stage", reserve, .advance(seconds: 20),
      .batch([.expire([hold])]), .batch([stage]),
      .batch([
        .capture(.init(hold, credits: ["personas": 10], isFinal: false, key: "second"))
      ])),
    KnownScenario(
      "a release after a late stage answers with the expiry", reserve, .advance(seconds: 20),
      .batch([.expire([hold])]), .batch([stage]), .batch([.release(.init(hold))])),
    KnownScenario(
      "a key for a missing reservation, used before in the batch, is a mismatch", reserve,
      .batch([
        .release(.init(hold, key: "same")), .release(.init(missing, key: "same")),
      ])),
    KnownScenario(
      "an extend's key for a missing reservation likewise", reserve,
      .batch([
        .extend(.init(hold, ttlSeconds: 30, key: "same")),
        .extend(.init(missing, ttlSeconds: 30, key: "same")),
      ])),
  ]
}
