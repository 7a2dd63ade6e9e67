/// The most that this machine does, measured: what a step of a plan can run into.
package struct Ceilings: Sendable {
  /// What is limited.
  package enum Limit: Sendable, Hashable {
    /// Arithmetic in registers, in GFLOP/s or GOP/s.
    case arithmetic(PeakKernel.Quantity, InstructionSet)
    /// Reading what lies in the cache of a level, in GB/s.
    case cache(level: Int)
    /// Reading memory, in GB/s.
    case memory

    package var isArithmetic: Bool { if case .arithmetic = self { true } else { false } }
  }

  /// One measured figure.
  package struct Row: Sendable, Hashable {
    package let limit: Limit
    package let threads: Int
    package let kernel: String
    /// GFLOP/s, GOP/s or GB/s: the best of several attempts.
    package let value: Double

    package init(_ limit: Limit, threads: Int, kernel: String, value: Double) {
      self.limit = limit
      self.threads = threads
      self.kernel = kernel
      self.value = value
    }
  }

  package let rows: [Row]
  /// The caches that were known.
  package let caches: [Machine.Cache]

  package init(rows: [Row], caches: [Machine.Cache]) {
    self.rows = rows
    self.caches = caches
  }

  /// The peak of arithmetic on the instruction set in use, or of float32 where the machine has no peak of its own for it.
  package func peak(_ quantity: PeakKernel.Quantity, threads: Int, on set: InstructionSet = .best) -> Double? {
    let found = rows.last {
      guard case .arithmetic(quantity, let rowSet) = $0.limit else { return false }
      return rowSet <= set && $0.threads == threads
    }
    return found?.value ?? (quantity == .float32 ? nil : peak(.float32, threads: threads, on: set))
  }

  /// How fast a working set of so many bytes can be read again and again, and where it then lies.
  package func reading(byteCount: Int, threads: Int) -> (limit: Limit, value: Double)? {
    let fitting = caches.filter { $0.capacity(threads: threads) >= byteCount }.sorted { $0.level < $1.level }
    for cache in fitting {
      let row = rows.first { $0.limit == .cache(level: cache.level) && $0.threads == threads }
      if let row { return (row.limit, row.value) }
    }
    return rows.first { $0.limit == .memory && $0.threads == threads }.map { ($0.limit, $0.value) }
  }
}

/// What keeps a step from being faster.
package struct StepBound: Sendable, Hashable {
  /// The nearest limit.
  package enum Kind: String, Sendable {
    /// The peak of arithmetic.
    case compute
    /// Reading memory.
    case memory
    /// Reading a cache that holds the whole run.
    case cache
    /// Neither: hand-over between threads, calls, loops that are no vectors.
    case overhead
  }

  package let kind: Kind
  /// The share of the time that the nearest limit explains, 1 at the limit itself.
  package let share: Double

  /// Shares below this are called overhead.
  package static let least = 0.5

  /// - Parameters:
  ///   - workingSet: bytes that a run of the whole network touches, which decides where they lie between runs.
  package init(_ step: StepProfile, workingSet: Int, threads: Int, _ ceilings: Ceilings) {
    guard step.median > 0 else {
      (kind, share) = (.overhead, 0)
      return
    }
    let compute = ceilings.peak(step.arithmetic, threads: threads).map { step.gflops / $0 } ?? 0
    let reading = ceilings.reading(byteCount: workingSet, threads: threads)
    let bytes = reading.map { step.gigabytesPerSecond / $0.value } ?? 0
    share = max(compute, bytes)
    if share < Self.least {
      kind = .overhead
    } else if compute >= bytes {
      kind = .compute
    } else {
      kind = reading?.limit == .memory ? .memory : .cache
    }
  }
}
