/// How long a piece of work takes on one thread, to decide how many tasks it is worth.
///
/// The figures need only be right within a factor of two: they keep small work on the caller's thread.
package struct WorkEstimate: Sendable {
  package let nanoseconds: Double

  package init(nanoseconds: Double) { self.nanoseconds = nanoseconds }

  /// Work of a Gemm: limited by arithmetic (rows x weights) or by reading the weights.
  ///
  /// - Parameter weightSize: bytes of a weight.
  package init(
    gemmRows rows: Int, weights: Int, weightSize: Int = MemoryLayout<Float>.stride, instructionSet: InstructionSet
  ) {
    let flopsPerNanosecond = Self.flopsPerNanosecond(instructionSet)
    let arithmetic = 2 * Double(rows) * Double(weights) / flopsPerNanosecond
    let reading = Double(weights) * Double(weightSize) / 40
    nanoseconds = max(arithmetic, reading)
  }

  private static func flopsPerNanosecond(_ set: InstructionSet) -> Double {
    switch set {
    case .scalar: 1
    case .neon: 30
    case .avx2: 60
    case .avx512: 100
    }
  }

  /// The least time a task should take, several times what handing it over costs.
  private static let leastTask = 2000.0

  /// Whether several threads are faster than one.
  package func isWorthSharing(_ pool: ThreadPool) -> Bool {
    pool.threadCount > 1 && nanoseconds >= 2 * Self.leastTask
  }

  /// The least part of `count` equal items that makes a task.
  package func leastShare(of count: Int) -> Int {
    guard nanoseconds > Self.leastTask else { return count }
    return max(1, Int((Double(count) * Self.leastTask / nanoseconds).rounded(.up)))
  }

  /// Tasks of at least the least length, at least 1 and at most `most`.
  package func worthwhileTasks(most: Int) -> Int { max(1, Int(min(nanoseconds / Self.leastTask, Double(most)))) }

  /// Tasks to split into, at most `most`: 1 when splitting does not pay, else up to four a thread so that a thread that
  /// is held up leaves its share to the others.
  package func taskCount(most: Int, _ pool: ThreadPool) -> Int {
    guard isWorthSharing(pool) else { return min(most, 1) }
    let worthwhile = Int(min(nanoseconds / Self.leastTask, Double(4 * pool.threadCount)))
    // Fewer tasks than four a thread are a multiple of the threads, or the last round leaves some idle.
    let rounded = worthwhile >= pool.threadCount ? worthwhile / pool.threadCount * pool.threadCount : worthwhile
    return min(most, rounded)
  }
}
