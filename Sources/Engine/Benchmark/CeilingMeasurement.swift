import Glibc

extension Ceilings {
  /// Seconds that one attempt takes, and how many attempts there are.
  private static let attempt = 0.005
  private static let attempts = 24

  /// Measures every arithmetic peak and every level of memory, a few seconds in all.
  ///
  /// - Parameters:
  ///   - threads: the numbers of threads to measure with.
  ///   - progress: called between measurements with the share that is done.
  /// - Throws: `EngineError` when there is no memory to read.
  package static func measure(
    threads: [Int], machine: Machine, progress: (Double) -> Void = { _ in }
  ) throws(EngineError) -> Ceilings {
    let pools = threads.map { count in (count, ThreadPool.forBenchmark(threads: count)) }
    let largest = machine.caches.map { $0.capacity(threads: machine.cores) }.max() ?? 0
    // Far more than the caches hold, and no more than a quarter of the memory.
    let wanted = max(256 << 20, 4 * largest)
    let memory = try ReadBuffer(byteCount: max(min(wanted, machine.memoryByteCount / 4), 1 << 20))
    var rows: [Row] = []
    let total = pools.count * (PeakKernel.all.count + machine.caches.count + 1)
    func add(_ row: Row) {
      rows.append(row)
      progress(Double(rows.count) / Double(max(total, 1)))
    }
    for kernel in PeakKernel.all {
      for (count, pool) in pools {
        add(
          Row(
            .arithmetic(kernel.quantity, kernel.instructionSet), threads: count, kernel: kernel.name,
            value: peak(kernel, pool)))
      }
    }
    for cache in machine.caches {
      for (count, pool) in pools {
        let value = memory.gigabytesPerSecond(
          bytes(of: cache, threads: count, machine), pool, seconds: attempt, attempts)
        add(Row(.cache(level: cache.level), threads: count, kernel: ReadKernel.current.name, value: value))
      }
    }
    for (count, pool) in pools {
      let value = memory.gigabytesPerSecond(memory.byteCount, pool, seconds: attempt, attempts)
      add(Row(.memory, threads: count, kernel: ReadKernel.current.name, value: value))
    }
    return Ceilings(rows: rows, caches: machine.caches)
  }

  /// Bytes that lie in one cache and not in those before it: a few times what those hold, and no more than half of it, for
  /// others may use it, too.
  private static func bytes(of cache: Machine.Cache, threads: Int, _ machine: Machine) -> Int {
    let before = machine.caches.filter { $0.level < cache.level }.map { $0.capacity(threads: threads) }.max() ?? 0
    let half = cache.capacity(threads: threads) / 2
    return before == 0 ? half : min(4 * before, half)
  }

  private static func peak(_ kernel: PeakKernel, _ pool: ThreadPool) -> Double {
    var iterations = 1000
    func run() -> Double {
      let count = iterations
      let start = MonotonicClock.nanoseconds
      pool.parallelFor(tasks: pool.threadCount) { _ in kernel.run(iterations: count) }
      return Double(max(MonotonicClock.nanoseconds - start, 1))
    }
    while run() < attempt * 1e9, iterations < 1 << 40 { iterations *= 2 }
    let best = (0..<attempts).reduce(Double.infinity) { best, _ in min(best, run()) }
    return Double(kernel.operations) * Double(iterations) * Double(pool.threadCount) / best
  }
}

extension ThreadPool {
  /// Threads as a plan would take them.
  static func forBenchmark(threads: Int) -> ThreadPool {
    threads <= shared.threadCount ? .shared(limit: threads) : ThreadPool(threads: threads)
  }
}

/// Memory to be read for its own sake.
private struct ReadBuffer {
  let byteCount: Int
  private let memory: RawMemory

  init(byteCount: Int) throws(EngineError) {
    self.byteCount = byteCount / 4096 * 4096
    memory = try RawMemory(byteCount: byteCount)
    unsafe madvise(memory.base, byteCount, Int32(MADV_HUGEPAGE))
    // Untouched pages would all be the same one.
    unsafe memory.base.initializeMemory(as: UInt8.self, repeating: 1, count: byteCount)
  }

  /// How fast the first bytes are read again and again, each thread reading its share: the best of all variants.
  func gigabytesPerSecond(_ wanted: Int, _ pool: ThreadPool, seconds: Double, _ attempts: Int) -> Double {
    let share = max(min(wanted, byteCount) / pool.threadCount / 4096 * 4096, 4096)
    let count = share / MemoryLayout<Float>.stride
    var best = 0.0
    for variant in 0..<ReadKernel.variants {
      var rounds = 1
      func run() -> Double {
        let (rounds, start) = (rounds, MonotonicClock.nanoseconds)
        pool.parallelFor(tasks: pool.threadCount) { task in
          let values = unsafe (memory.base + task * share).assumingMemoryBound(to: Float.self)
          for _ in 0..<rounds { unsafe ReadKernel.current.run(values, count: count, variant: variant) }
        }
        return Double(max(MonotonicClock.nanoseconds - start, 1))
      }
      while run() < seconds * 1e9, rounds < 1 << 40 { rounds *= 2 }
      let time = (0..<attempts).reduce(Double.infinity) { best, _ in min(best, run()) }
      best = max(best, Double(share) * Double(rounds) * Double(pool.threadCount) / time)
    }
    return best
  }
}
