import Glibc

/// A fixed number of worker threads around one task board. Releasing it ends the threads.
///
/// `@unchecked Sendable`: the handles are written in `init` and read in `deinit` only.
@safe final class Crew: @unchecked Sendable {
  let board = TaskBoard()
  private var threads: [pthread_t] = []

  /// The number of workers that could be started.
  var workerCount: Int { threads.count }

  /// What a new thread is told. It keeps the board alive, not the crew, so that the crew can end.
  private final class Assignment: Sendable {
    let board: TaskBoard
    let worker: Int
    let isPinned: Bool

    init(board: TaskBoard, worker: Int, isPinned: Bool) {
      self.board = board
      self.worker = worker
      self.isPinned = isPinned
    }

    func run() {
      if isPinned { pinThread(toProcessor: worker + 1) }
      board.work(worker: worker)
    }
  }

  /// Starts `workers` threads, or as many as the system allows.
  ///
  /// - Parameter isPinned: whether each keeps to a processor of its own, from the second on.
  init(workers: Int, isPinned: Bool) {
    for worker in 0..<workers {
      let assignment = unsafe Unmanaged.passRetained(Assignment(board: board, worker: worker, isPinned: isPinned))
      var thread = pthread_t()
      let status = unsafe pthread_create(
        &thread, nil,
        { argument in
          if let argument = unsafe argument {
            unsafe Unmanaged<Assignment>.fromOpaque(argument).takeRetainedValue().run()
          }
          return nil
        }, assignment.toOpaque())
      guard status == 0 else {
        unsafe assignment.release()
        break
      }
      threads.append(thread)
    }
  }

  deinit {
    board.stop()
    for thread in threads { pthread_join(thread, nil) }
  }
}
