import Postgres

/// What to do after a batch failed. Pure, so that every error's way can be tested.
struct RetryPolicy {
  enum Step: Equatable {
    case retry(after: Duration)
    /// One item may have spoilt it for the others: try each alone.
    case split
    case giveUp(StoreError)
  }

  static let transientLimit = 3

  private var transientFailures = 0
  private var isOutcomeUnknown = false
  private var unserved = StoreError.unavailable

  mutating func next(after error: PostgresError, timeLeft: Duration) -> Step {
    isOutcomeUnknown = isOutcomeUnknown || error.isOutcomeUnknown
    if error.code == .tooLate { return .giveUp(reason) }
    if error.hasNoWeek { return .giveUp(isOutcomeUnknown ? reason : .failed(error)) }
    // What a server said of itself outlives an attempt that did not get that far.
    if unserved != .readOnly { unserved = StoreError(unserved: error) }
    if error.isTransient {
      transientFailures += 1
      let canRetry = transientFailures <= Self.transientLimit && timeLeft > .milliseconds(50)
      return canRetry ? .retry(after: jittered(.milliseconds(10))) : .giveUp(reason)
    }
    if error.isOutcomeUnknown || error.isServerUnavailable {
      return timeLeft > .milliseconds(200)
        ? .retry(after: jittered(.milliseconds(100))) : .giveUp(reason)
    }
    return isOutcomeUnknown ? .giveUp(.outcomeUnknown) : .split
  }

  /// What the callers are told when there is no further attempt.
  var reason: StoreError { isOutcomeUnknown ? .outcomeUnknown : unserved }

  private func jittered(_ delay: Duration) -> Duration {
    delay * Double.random(in: 0.5...1.5)
  }
}
