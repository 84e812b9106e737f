import Synchronization

/// A value that one thread at a time may touch.
///
/// A `Mutex` of the standard library knows its thread by a number that is found through a
/// thread-local address. Compiled into an async function, Swift 6.3 looks that address up once, and
/// uses it again after a suspension, on another thread. Here the lock is taken in a function that
/// has none and is never compiled into another.
public struct Locked<Value: ~Copyable>: ~Copyable {
  private let mutex: Mutex<Value>

  public init(_ value: consuming sending Value) { mutex = Mutex(value) }

  @inline(never)
  public borrowing func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    try mutex.withLock(body)
  }
}

extension Locked: Sendable where Value: ~Copyable {}
