import NIOCore
import ReferenceLedger

@testable import TollgateAPI

/// A connection to which things happen at random, and who keeps account of it.
struct ConnectionRun {
  private(set) var story: [String] = []
  private(set) var problems: [String] = []
  private let limits: DoorLimits
  private var connection: ClientConnection
  private var random: SeededRandom
  private var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
  private var stoppedAt: NIODeadline?
  /// Of the request that is coming; `nil` for a chunked one.
  private var bodyLeft: Int?
  private var kept = 0
  private var isOpen = false
  private var isRefused = false
  private var isOver = false
  private var isClosed = false
  private var isDeliveryDue = false

  init(seed: UInt64) {
    random = SeededRandom(seed: seed)
    var limits = DoorLimits()
    limits.dropped = 2_000
    self.limits = limits
    connection = ClientConnection(limits, at: now)
  }

  mutating func happen(steps: Int) {
    for _ in 0..<steps where !isClosed {
      step()
      check()
    }
  }

  /// Nothing more happens but what our own side owes.
  mutating func end() {
    for _ in 0..<8 where !isClosed {
      switch connection.phase {
      case .running: answer()
      case .checking: checked()
      case .leaving where isDeliveryDue && chance(2): deliver()
      default:
        now = max(now, connection.deadline)
        tick()
      }
      check()
    }
    if !isClosed { problem("it waits for ever, \(connection.phase)") }
  }

  private mutating func chance(_ one: Int) -> Bool { Int.random(in: 1...one, using: &random) == 1 }

  private mutating func problem(_ text: String) { problems.append(text) }
}

extension ConnectionRun {
  private mutating func step() {
    if chance(12) { return befall() }
    switch connection.phase {
    case .idle, .beginning: if connection.takesInput { begin() } else { write(true) }
    case .receiving, .dropping: if chance(10) { breakOff() } else { send() }
    case .checking: checked()
    case .running: answer()
    case .leaving: if isDeliveryDue { deliver() }
    case .lingering: if chance(2) { closeInput() } else { pass() }
    case .closed: break
    }
  }

  /// What can happen at any time.
  private mutating func befall() {
    switch Int.random(in: 0...5, using: &random) {
    case 0: closeInput()
    case 1: write(false)
    case 2: stop()
    case 3, 4: pass()
    default: closed()
    }
  }

  private mutating func begin() {
    if chance(8) {
      story.append("began")
      return connection.began(at: now)
    }
    if chance(12) { return breakOff() }
    if connection.isInputClosed { return exhaust() }
    let length = [0, 1, 300, 1_000, 1_500, 5_000, Int.max].randomElement(using: &random)!
    bodyLeft = chance(4) ? nil : length
    let request = ClientConnection.Request(
      body: bodyLeft.map { .length($0) } ?? .chunked, limit: 1_000, isKeptAlive: !chance(6),
      expectsContinue: chance(6))
    let admission: ClientConnection.Admission =
      switch Int.random(in: 0...3, using: &random) {
      case 0: .unknown
      case 1: .refused(.unauthorized)
      default: .granted
      }
    if isOver || isOpen { problem("let in after the last or before the answer to another") }
    story.append("head \(request) \(admission)")
    (isOpen, isRefused, kept) = (true, false, 0)
    act(connection.head(request, admission, at: now))
  }

  private mutating func send() {
    if bodyLeft == 0 || (bodyLeft == nil && chance(4)) {
      story.append("end")
      return act(connection.end(at: now))
    }
    if connection.isInputClosed { return exhaust() }
    let length = min(bodyLeft ?? .max, Int.random(in: 1...700, using: &random))
    bodyLeft = bodyLeft.map { $0 - length }
    story.append("body \(length)")
    let action = connection.body(length, at: now)
    if case .keep = action { kept += length }
    if kept > 1_000 { problem("it keeps more than the limit") }
    act(action)
    if case .keep = action, chance(10) {
      story.append("crowded")
      act(connection.crowded(at: now))
    }
  }

  private mutating func breakOff() {
    story.append("broke")
    // What is no request has no answer due, but gets one.
    if case .dropping = connection.phase {} else { (isOpen, isRefused) = (true, false) }
    act(connection.broke(.unreadable("x"), at: now))
  }

  private mutating func exhaust() {
    story.append("exhausted")
    let isBetween = connection.phase == .idle
    if !isBetween, case .dropping = connection.phase {
    } else if !isBetween {
      (isOpen, isRefused) = (true, false)
    }
    act(connection.exhausted(isBetweenRequests: isBetween, at: now))
  }
}

extension ConnectionRun {
  private mutating func checked() {
    story.append("checked")
    act(connection.checked(chance(2) ? .unauthorized : nil, at: now))
  }

  private mutating func answer() {
    story.append("answered")
    guard let isLast = connection.answered(more: chance(2), at: now) else {
      return problem("nobody waits for the answer")
    }
    if !isOpen || isRefused { problem("answered twice") }
    isOpen = false
    if isLast { last() }
  }

  private mutating func deliver() {
    story.append("delivered")
    isDeliveryDue = false
    act(connection.delivered(at: now))
  }

  private mutating func closeInput() {
    story.append("inputClosed")
    act(connection.inputClosed())
  }

  private mutating func write(_ isWritable: Bool) {
    story.append("writable \(isWritable)")
    connection.becameWritable(isWritable)
  }

  private mutating func stop() {
    story.append("stop")
    if stoppedAt == nil { stoppedAt = now }
    connection.stop(at: now)
  }

  private mutating func pass() {
    now = now + .milliseconds(Int64.random(in: 1...40_000, using: &random))
    tick()
  }

  private mutating func tick() {
    story.append("tick")
    let isBeginning = connection.phase == .beginning
    let action = connection.tick(at: now)
    if isBeginning, case .refuse = action { (isOpen, isRefused) = (true, false) }
    act(action)
  }

  private mutating func closed() {
    story.append("closed")
    connection.closed()
    isClosed = true
  }
}

extension ConnectionRun {
  private mutating func act(_ action: ClientConnection.Action) {
    switch action {
    case .none, .check, .keep, .run: break
    case .sendContinue: if isRefused || !isOpen { problem("told to go on after the answer") }
    case .refuse(_, let isLast):
      story.append("refused")
      if !isOpen || isRefused { problem("refused after it was answered") }
      (isOpen, isRefused) = (false, true)
      if isLast { last() }
    case .finish: last()
    case .closeOutput: if isDeliveryDue { problem("closed before the answer was sent") }
    case .close: isClosed = true
    }
  }

  private mutating func last() {
    if isOver { problem("two last answers") }
    (isOver, isDeliveryDue) = (true, true)
  }

  /// What holds at every moment.
  private mutating func check() {
    if isOver, connection.takesInput { problem("taken in after the last answer") }
    if connection.phase == .running, connection.reads(holding: 1) {
      problem("it reads on while an answer is due")
    }
    if connection.deadline == .distantFuture, connection.phase != .running, !isClosed {
      problem("no deadline")
    }
    if let stoppedAt, !isClosed, connection.deadline > stoppedAt + limits.stop {
      problem("it outlasts a stop")
    }
  }
}
