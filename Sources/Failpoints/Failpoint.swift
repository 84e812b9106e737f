#if DEBUG
  import Foundation
  import Synchronization
#endif

/// The steps of a request at which a debug build can be made to die, as a crash would: by
/// `TOLLGATE_FAILPOINT=batchTaken:3` at the third pass. Nothing is left of it in a release build.
public enum Failpoint {
  @inlinable
  public static func pass(_ step: @autoclosure () -> String) {
    #if DEBUG
      ArmedFailpoint.fromEnvironment?.pass(step())
    #endif
  }
}

#if DEBUG
  @usableFromInline
  final class ArmedFailpoint: Sendable {
    @usableFromInline
    static let fromEnvironment = ArmedFailpoint(
      ProcessInfo.processInfo.environment["TOLLGATE_FAILPOINT"])

    private let step: String
    private let passesLeft: Atomic<Int>

    /// `nil` unless it is a step and a number.
    private init?(_ text: String?) {
      guard let parts = text?.split(separator: ":"), parts.count == 2, let passes = Int(parts[1])
      else { return nil }
      step = String(parts[0])
      passesLeft = Atomic(passes)
    }

    @usableFromInline
    func pass(_ step: String) {
      guard step == self.step else { return }
      let left = passesLeft.subtract(1, ordering: .relaxed).newValue
      if left == 0 { kill(getpid(), SIGKILL) }
    }
  }
#endif
