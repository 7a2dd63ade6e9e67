import Glibc
import Synchronization

/// What a task of a parallel loop runs: the caller's context and the number of the task.
package typealias TaskFunction = @convention(c) (_ context: UnsafeRawPointer, _ task: Int) -> Void

/// The state that a crew's workers and its callers share: one parallel loop at a time, claimed task by task.
///
/// `@unchecked Sendable`: `context`, `function` and `taskCount` are written only by the caller that holds `isTaken`,
/// before it publishes `claims`, and read only after a successful claim, which the caller outwaits; the mutex and the
/// condition variable are made for sharing.
@safe final class TaskBoard: @unchecked Sendable {
  /// Whether a caller has a loop under way.
  private let isTaken = Atomic<Bool>(false)
  /// Unclaimed tasks in the low 32 bits, above them the number of workers that may claim.
  private let claims = Atomic<UInt64>(0)
  /// Tasks whose end has not been reported.
  private let unfinished = Atomic<Int>(0)
  private let sleepers = Atomic<Int>(0)
  private let isStopping = Atomic<Bool>(false)
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let wakeUp: UnsafeMutablePointer<pthread_cond_t>
  private var context: UnsafeRawPointer?
  private var function: TaskFunction = { _, _ in }
  private var taskCount = 0

  /// Rounds of waiting for new work before a worker sleeps, some tens of microseconds.
  private static let idleRounds = 1000
  /// Rounds of waiting for the last task before the processor is offered to others.
  private static let waitRounds = 2000

  init() {
    unsafe mutex = .allocate(capacity: 1)
    unsafe wakeUp = .allocate(capacity: 1)
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(wakeUp, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(wakeUp)
    unsafe pthread_mutex_destroy(mutex)
    unsafe wakeUp.deallocate()
    unsafe mutex.deallocate()
  }

  /// Runs all tasks with up to `workers` helpers and returns true when the last has ended; returns false at once,
  /// having run nothing, when another loop is under way.
  func run(tasks: Int, workers: Int, context: UnsafeRawPointer, function: TaskFunction) -> Bool {
    guard isTaken.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else { return false }
    unsafe self.context = context
    unsafe self.function = function
    taskCount = tasks
    unfinished.store(tasks, ordering: .relaxed)
    // Sequentially consistent with `sleepers`: either a worker going to sleep sees the claims, or it is seen here.
    claims.store(UInt64(workers) << 32 | UInt64(tasks), ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wakeAll() }
    claimTasks(worker: -1)
    var rounds = 0
    while unfinished.load(ordering: .acquiring) > 0 {
      rounds += 1
      if rounds < Self.waitRounds { spinPause() } else { sched_yield() }
    }
    isTaken.store(false, ordering: .releasing)
    return true
  }

  /// A worker's life: claim, spin, sleep, until `stop`. Workers count from 0.
  func work(worker: Int) {
    var rounds = 0
    while !isStopping.load(ordering: .acquiring) {
      if claimTasks(worker: worker) {
        rounds = 0
      } else if rounds < Self.idleRounds {
        rounds += 1
        spinPause()
      } else {
        sleep(worker: worker)
        rounds = 0
      }
    }
  }

  /// Makes every worker return from `work`.
  func stop() {
    isStopping.store(true, ordering: .sequentiallyConsistent)
    wakeAll()
  }

  /// Claims and runs tasks until none is left; false when there was none for this worker. The caller is worker -1.
  @discardableResult
  private func claimTasks(worker: Int) -> Bool {
    var finished = 0
    var seen = claims.load(ordering: .relaxed)
    while seen & 0xffff_ffff > 0, worker < Int(seen >> 32) {
      let (isClaimed, current) = claims.weakCompareExchange(
        expected: seen, desired: seen - 1, ordering: .acquiring)
      guard isClaimed else {
        seen = current
        continue
      }
      let task = taskCount - Int(seen & 0xffff_ffff)
      if let context = unsafe context { unsafe function(context, task) }
      finished += 1
      seen = claims.load(ordering: .relaxed)
    }
    guard finished > 0 else { return false }
    unfinished.subtract(finished, ordering: .releasing)
    return true
  }

  private func sleep(worker: Int) {
    unsafe pthread_mutex_lock(mutex)
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while !hasTasks(for: worker), !isStopping.load(ordering: .sequentiallyConsistent) {
      unsafe pthread_cond_wait(wakeUp, mutex)
    }
    sleepers.subtract(1, ordering: .sequentiallyConsistent)
    unsafe pthread_mutex_unlock(mutex)
  }

  private func hasTasks(for worker: Int) -> Bool {
    let seen = claims.load(ordering: .sequentiallyConsistent)
    return seen & 0xffff_ffff > 0 && worker < Int(seen >> 32)
  }

  private func wakeAll() {
    unsafe pthread_mutex_lock(mutex)
    unsafe pthread_cond_broadcast(wakeUp)
    unsafe pthread_mutex_unlock(mutex)
  }
}
