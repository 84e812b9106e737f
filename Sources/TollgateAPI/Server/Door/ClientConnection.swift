import NIOCore

/// What a connection is at, and what is to be done when something happens to it. Decides only:
/// nothing is read, written or closed here.
///
/// One request is let in at a time, and the next when the answer is out. Whatever happens, each
/// request that was let in is answered once or the connection is closed, and no state lasts
/// longer than its deadline.
struct ClientConnection {
  enum Phase: Hashable {
    /// Between requests.
    case idle
    /// Part of a head has come.
    case beginning
    /// It is found out whether the caller may send a body; until then nothing is taken in.
    case checking(Request)
    /// The body comes; so many bytes of it are kept.
    case receiving(Request, kept: Int)
    /// The request is whole; its answer is due.
    case running
    /// The request was refused; what it still brings is dropped, so many bytes at most.
    case dropping(Int)
    /// The last answer is written; whatever comes is dropped.
    case leaving
    /// The last answer is sent, and nothing more will be: so that it is not lost with what the
    /// client still sends, the client closes first.
    case lingering
    case closed
  }

  private(set) var phase = Phase.idle
  /// When the connection is closed unless something happens before.
  private(set) var deadline: NIODeadline
  private(set) var isInputClosed = false
  private let limits: DoorLimits
  private var isWritable = true
  /// The client wants no more than this answer.
  private var isLast = false
  /// Bytes that may still come after the last answer; then nothing more is read.
  private var rest: Int
  /// From the last answer until the client must have closed.
  private var linger: TimeAmount
  /// Set by a stop, which nothing outlasts.
  private var stopDeadline: NIODeadline?

  /// The first request must come as fast as any that has begun.
  init(_ limits: DoorLimits, at now: NIODeadline) {
    self.limits = limits
    rest = limits.lingering
    linger = limits.linger
    deadline = now + limits.request
  }

  /// Whether the next part of what has come is to be taken in.
  var takesInput: Bool {
    switch phase {
    // Answers that nobody reads make no further ones.
    case .idle, .beginning: isWritable
    case .receiving, .dropping: true
    case .checking, .running, .leaving, .lingering, .closed: false
    }
  }

  /// Whether what comes is of no use any more.
  var dropsInput: Bool {
    switch phase {
    case .leaving, .lingering, .closed: true
    default: false
    }
  }

  /// Whether to read from the client. While an answer is due a read tells that the client has gone;
  /// what it brings besides waits, so a second one must not follow.
  func reads(holding bytes: Int) -> Bool {
    switch phase {
    case .checking, .running: bytes == 0
    case .idle, .beginning: isWritable
    case .receiving, .dropping: true
    case .leaving, .lingering: rest > 0
    case .closed: false
    }
  }
}

extension ClientConnection {
  /// Some bytes of a head have come.
  mutating func began(at now: NIODeadline) {
    guard phase == .idle else { return }
    phase = .beginning
    wait(until: min(deadline, now + limits.request))
  }

  mutating func head(
    _ request: Request, _ admission: Admission, at now: NIODeadline
  ) -> Action {
    if phase == .idle { wait(until: now + limits.request) }
    isLast = !request.isKeptAlive
    switch admission {
    case .granted: return admit(request, at: now)
    case .refused(let error): return refuse(error, request, at: now)
    case .unknown:
      phase = .checking(request)
      return .check
    }
  }

  /// It is known who the caller is: `error` when nobody who may go on.
  mutating func checked(_ error: APIError?, at now: NIODeadline) -> Action {
    guard case .checking(let request) = phase else { return .none }
    if let error { return refuse(error, request, at: now) }
    return admit(request, at: now)
  }

  private mutating func admit(_ request: Request, at now: NIODeadline) -> Action {
    if case .length(let length) = request.body, length > request.limit {
      return refuse(.tooLarge(limit: request.limit), request, at: now)
    }
    phase = .receiving(request, kept: 0)
    return request.expectsContinue && request.body != .length(0) ? .sendContinue : .none
  }

  /// A part of the body has come.
  mutating func body(_ length: Int, at now: NIODeadline) -> Action {
    switch phase {
    case .receiving(let request, let kept) where kept + length <= request.limit:
      phase = .receiving(request, kept: kept + length)
      return .keep
    case .receiving(let request, _):
      return refuseBody(.tooLarge(limit: request.limit), isLast: isLast, at: now)
    case .dropping(let left) where length <= left:
      phase = .dropping(left - length)
      return .none
    case .dropping: return close()
    default: return .none
    }
  }

  /// The request is whole.
  mutating func end(at now: NIODeadline) -> Action {
    switch phase {
    case .receiving:
      phase = .running
      wait(until: .distantFuture)
      return .run
    case .dropping:
      if stopDeadline != nil { return leave(at: now) }
      becomeIdle(at: now)
      return .none
    default: return .none
    }
  }

  /// The answer that was due is there.
  ///
  /// - Parameter more: whether bytes of a next request wait.
  /// - Returns: whether the connection is closed after it; `nil` when nobody waits for it.
  mutating func answered(more: Bool, at now: NIODeadline) -> Bool? {
    guard phase == .running else { return nil }
    isLast = isLast || stopDeadline != nil || (isInputClosed && !more)
    if isLast {
      phase = .leaving
      wait(until: now + limits.idle)
    } else {
      becomeIdle(at: now)
    }
    return isLast
  }
}

extension ClientConnection {
  /// What is still to come of a refused request is dropped and the connection kept, unless that is
  /// too much, or may never come because the client waits to be told to go on.
  private mutating func refuse(
    _ error: APIError, _ request: Request, at now: NIODeadline
  ) -> Action {
    if case .length(let length) = request.body, length > limits.dropped { isLast = true }
    return refuseBody(error, isLast: isLast || request.expectsContinue, at: now)
  }

  /// The rest of the body may be on its way, and its sender look for the answer only behind it.
  private mutating func refuseBody(
    _ error: APIError, isLast: Bool, at now: NIODeadline
  ) -> Action {
    (rest, linger) = (limits.dropped, limits.request)
    return refuse(error, isLast: isLast, at: now)
  }

  private mutating func refuse(
    _ error: APIError, isLast last: Bool, at now: NIODeadline
  ) -> Action {
    isLast = last || stopDeadline != nil
    phase = isLast ? .leaving : .dropping(limits.dropped)
    if isLast { wait(until: now + limits.idle) }
    return .refuse(error, isLast: isLast)
  }

  /// The worker keeps enough of other bodies.
  mutating func crowded(at now: NIODeadline) -> Action {
    guard case .receiving = phase else { return .none }
    return refuseBody(.bodiesFull, isLast: isLast, at: now)
  }

  private mutating func becomeIdle(at now: NIODeadline) {
    phase = .idle
    wait(until: now + limits.idle)
  }

  private mutating func close() -> Action {
    phase = .closed
    return .close
  }

  private mutating func leave(at now: NIODeadline) -> Action {
    phase = .leaving
    wait(until: now + limits.idle)
    return .finish
  }

  private mutating func wait(until end: NIODeadline) {
    deadline = stopDeadline.map { min($0, end) } ?? end
  }
}

extension ClientConnection {
  /// Something came after the last answer.
  mutating func dropped(_ length: Int) { rest -= length }

  /// All that was written before the end has been sent.
  mutating func delivered(at now: NIODeadline) -> Action {
    guard phase == .leaving else { return .none }
    if isInputClosed { return close() }
    phase = .lingering
    wait(until: now + linger)
    return .closeOutput
  }

  /// What came is no HTTP.
  mutating func broke(_ error: APIError, at now: NIODeadline) -> Action {
    switch phase {
    case .idle, .beginning, .receiving: refuse(error, isLast: true, at: now)
    case .dropping: leave(at: now)
    default: .none
    }
  }

  /// The client sends no more; what it sent before is still answered.
  mutating func inputClosed() -> Action {
    isInputClosed = true
    return phase == .lingering ? close() : .none
  }

  /// All that can be taken in has been.
  mutating func exhausted(isBetweenRequests: Bool, at now: NIODeadline) -> Action {
    guard isInputClosed, takesInput else { return .none }
    switch phase {
    case .idle where isBetweenRequests: return leave(at: now)
    case .dropping: return leave(at: now)
    default: return refuse(.unreadable("it ends too early"), isLast: true, at: now)
    }
  }

  mutating func becameWritable(_ isWritable: Bool) { self.isWritable = isWritable }

  /// The worker stops: what was let in is answered, and nothing lasts longer than the bound. A
  /// connection that is kept gets a moment more, in which a request that is on its way already
  /// arrives rather than being lost.
  mutating func stop(at now: NIODeadline) {
    if stopDeadline != nil { return }
    stopDeadline = now + limits.stop
    switch phase {
    case .idle, .beginning: wait(until: now + limits.stopGrace)
    default: wait(until: deadline)
    }
  }

  /// To be called when the deadline has passed.
  mutating func tick(at now: NIODeadline) -> Action {
    if deadline > now || phase == .closed { return .none }
    if stopDeadline.map({ $0 <= now }) ?? false { return close() }
    switch phase {
    // Answers may wait to be sent.
    case .idle where stopDeadline != nil: return leave(at: now)
    case .beginning, .checking, .receiving:
      return refuse(.requestTimeout, isLast: true, at: now)
    default: return close()
    }
  }

  mutating func closed() { phase = .closed }
}
