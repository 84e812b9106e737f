import Dispatch
import Foundation
import Locking

/// A serial executor with a thread of its own.
///
/// Blocking libpq inside Swift's cooperative pool would stop the process: the pool is as wide as
/// the machine has cores, and two waits for a lock would fill it.
public final class ThreadExecutor: SerialExecutor {
  private struct State {
    var jobs: [UnownedJob] = []
    var isStopped = false
  }

  private let state = Locked(State())
  private let wakeUp = DispatchSemaphore(value: 0)

  public init(name: String) {
    let thread = Thread { [self] in run() }
    thread.name = name
    thread.start()
  }

  public func enqueue(_ job: consuming ExecutorJob) {
    // Once the job is there it may run, and the last who needs this executor may be done with it.
    let executor = Unmanaged.passRetained(self)
    defer { executor.release() }
    let job = UnownedJob(job)
    let wasIdle = state.withLock { state in
      state.jobs.append(job)
      return state.jobs.count == 1
    }
    if wasIdle { wakeUp.signal() }
  }

  /// Ends the thread when the jobs enqueued so far are done. Nothing may be enqueued afterwards.
  public func stop() {
    state.withLock { $0.isStopped = true }
    wakeUp.signal()
  }

  private func run() {
    while true {
      let (jobs, isStopped) = state.withLock { state in
        let jobs = state.jobs
        state.jobs.removeAll(keepingCapacity: true)
        return (jobs, state.isStopped)
      }
      for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
      if jobs.isEmpty {
        if isStopped { return }
        wakeUp.wait()
      }
    }
  }
}
