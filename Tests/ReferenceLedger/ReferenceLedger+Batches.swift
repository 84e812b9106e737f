extension ReferenceLedger {
  /// A batch is decided as its commands would be one after another.
  public mutating func apply(_ batch: [Command]) -> [Outcome] {
    var outcomes: [Outcome] = []
    for command in batch { outcomes.append(apply(command)) }
    return outcomes
  }
}
