/// Runs parallel loops on its own threads, the caller being one of them.
///
/// A loop started while another runs on the same threads, from a task or from another thread, runs inline on its
/// caller, so that loops neither wait for each other nor take more threads than there are. Idle workers spin for some
/// tens of microseconds, then sleep.
package final class ThreadPool: Sendable {
  /// Threads that a loop may use, the caller included; at least 1.
  package let threadCount: Int
  private let crew: Crew?

  /// A pool with threads of its own, `threads - 1` of them started here.
  ///
  /// - Parameter isPinned: whether each of these keeps to one processor, the second and so on of those that the process may
  ///   run on; the first is left to the caller, who may be kept there by the system or by itself.
  package convenience init(threads: Int, isPinned: Bool = false) {
    let crew = threads > 1 ? Crew(workers: min(threads, 1024) - 1, isPinned: isPinned) : nil
    self.init(threadCount: (crew?.workerCount ?? 0) + 1, crew: crew)
  }

  private init(threadCount: Int, crew: Crew?) {
    self.threadCount = threadCount
    self.crew = crew
  }

  /// The caller's thread alone.
  package static let single = ThreadPool(threads: 1)

  /// The pool of the process, with one thread for each processor it may run on.
  package static let shared = ThreadPool(threads: onlineProcessorCount)

  /// The shared threads, of which loops use at most `limit`.
  package static func shared(limit: Int) -> ThreadPool {
    limit >= shared.threadCount ? shared : shared.limited(to: limit)
  }

  /// A pool on the same threads whose loops use at most `limit` of them, at least 1.
  package func limited(to limit: Int) -> ThreadPool {
    ThreadPool(threadCount: max(1, min(limit, threadCount)), crew: limit > 1 ? crew : nil)
  }

  /// Processors that this process may run on.
  package static let onlineProcessorCount = callerProcessorCount

  /// Processors that the calling thread may run on.
  package static var callerProcessorCount: Int { processorCount() }

  /// Calls `function(context, task)` for every task from 0 to `tasks - 1`, each once, and returns when all have ended.
  ///
  /// Tasks start in ascending order on any thread. Nothing is allocated and no lock is taken unless a worker sleeps.
  package func parallelFor(tasks: Int, context: UnsafeRawPointer, _ function: TaskFunction) {
    if tasks > 1, let crew, tasks <= Int(Int32.max),
      unsafe crew.board.run(
        tasks: tasks, workers: min(threadCount, tasks) - 1, context: context, function: function)
    {
      return
    }
    for task in 0..<max(0, tasks) { unsafe function(context, task) }
  }

  /// Calls `body(task)` for every task from 0 to `tasks - 1`, each once, and returns when all have ended.
  ///
  /// When workers take part the closure is boxed, two small allocations; the form with a context has none.
  package func parallelFor(tasks: Int, _ body: (Int) -> Void) {
    guard tasks > 1, crew != nil else {
      for task in 0..<max(0, tasks) { body(task) }
      return
    }
    withoutActuallyEscaping(body) { body in
      unsafe withUnsafePointer(to: body) { pointer in
        unsafe parallelFor(tasks: tasks, context: UnsafeRawPointer(pointer)) { context, task in
          unsafe context.assumingMemoryBound(to: ((Int) -> Void).self).pointee(task)
        }
      }
    }
  }
}
