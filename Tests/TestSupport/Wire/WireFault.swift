import NIOCore
import Synchronization

/// What goes wrong on the wire, once.
public struct WireFault: Sendable, CustomStringConvertible {
  public enum Message: Sendable, CaseIterable {
    case parse, prepareSync, parseComplete, prepared
    case bind, describe, execute, sync
    case bindComplete, rowDescription, dataRow, commandComplete, readyForQuery
  }

  public enum Moment: Sendable, CaseIterable {
    /// The message gets lost.
    case before
    case after
  }

  public enum Damage: Sendable {
    /// Both connections are closed.
    case drop
    /// The same, and what is on its way is thrown away.
    case reset
    /// Whom the message was for is told that there comes no more; the other direction stays.
    case halfClose
    /// What follows is late, even when its sender has gone meanwhile.
    case delay(Duration)

    public var kind: String {
      switch self {
      case .drop: "drop"
      case .reset: "reset"
      case .halfClose: "half-close"
      case .delay: "delay"
      }
    }
  }

  /// The name of the statement whose messages are counted.
  public let statement: String
  public let message: Message
  public let moment: Moment
  public let damage: Damage

  public init(_ statement: String, _ message: Message, _ moment: Moment, _ damage: Damage) {
    self.statement = statement
    self.message = message
    self.moment = moment
    self.damage = damage
  }

  public var description: String { "\(damage) \(moment) \(message) of \(statement)" }
}

extension WireFault.Message {
  /// A statement on a new connection is prepared first, so some kinds come twice.
  func isThe(_ ordinal: Int, _ kind: WireMessage.Kind) -> Bool {
    let place = place
    return place.kind == kind && place.ordinal == ordinal
  }

  private var place: (kind: WireMessage.Kind, ordinal: Int) {
    switch self {
    case .parse: (.parse, 1)
    case .prepareSync: (.sync, 1)
    case .parseComplete: (.parseComplete, 1)
    case .prepared: (.readyForQuery, 1)
    case .bind: (.bind, 1)
    case .describe: (.describe, 1)
    case .execute: (.execute, 1)
    case .sync: (.sync, 2)
    case .bindComplete: (.bindComplete, 1)
    case .rowDescription: (.rowDescription, 1)
    case .dataRow: (.dataRow, 1)
    case .commandComplete: (.commandComplete, 1)
    case .readyForQuery: (.readyForQuery, 2)
    }
  }
}

/// The fault that is to come, and what the connections of a proxy have in common.
final class WireFaults: Sendable {
  private struct State {
    var armed: WireFault?
    var fired = 0
    var late = 0
    /// The clients' connections on which a statement was prepared.
    var carriers: [String: [any Channel]] = [:]
  }

  private let state = Mutex(State())

  var fired: Int { state.withLock { $0.fired } }

  /// Connections on which something is held back.
  var late: Int { state.withLock { $0.late } }

  var armed: WireFault? { state.withLock { $0.armed } }

  func arm(_ fault: WireFault) { state.withLock { $0.armed = fault } }

  func countLate(_ change: Int) { state.withLock { $0.late += change } }

  func prepared(_ statement: String, on client: any Channel) {
    state.withLock { $0.carriers[statement, default: []].append(client) }
  }

  func takeCarriers(of statement: String) -> [any Channel] {
    state.withLock { $0.carriers.removeValue(forKey: statement) ?? [] }
  }

  /// The fault, when it is time for it.
  func take(at message: WireMessage.Kind, ordinal: Int) -> WireFault? {
    state.withLock { state in
      guard let fault = state.armed, fault.message.isThe(ordinal, message) else { return nil }
      state.armed = nil
      state.fired += 1
      return fault
    }
  }
}
