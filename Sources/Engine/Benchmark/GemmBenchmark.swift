import NNFormat

/// Times C [rows x columns] = A [rows x depth] B [depth x columns] + bias, float32 but for B where bfloat16 is asked for,
/// with every kernel row that the machine can run.
package struct GemmBenchmark: Sendable {
  /// One kernel row with so many threads.
  package struct Result: Sendable {
    package let kernel: String
    package let instructionSet: InstructionSet
    /// Whether the few rows stream the weights, or are packed into tiles.
    package let streams: Bool
    package let threads: Int
    /// Whether plans would take it.
    package let isChosen: Bool
    package let statistics: TimingStatistics
    package let gflops: Double
    package let gigabytesPerSecond: Double
  }

  package let rows: Int
  package let depth: Int
  package let columns: Int
  /// What B is kept in.
  package let precision: EngineOptions.Precision

  /// - Throws: `EngineError` of kind `invalidInput` for extents below 1 or matrices of more than 2^32 bytes.
  package init(
    rows: Int, depth: Int, columns: Int, precision: EngineOptions.Precision = .float32
  ) throws(EngineError) {
    for extents in [[rows, depth], [depth, columns], [rows, columns]] {
      guard extents.allSatisfy({ $0 > 0 }), let count = checkedProduct(extents), count <= 1 << 30 else {
        throw EngineError(
          .invalidInput,
          "a product of \(rows) x \(depth) and \(depth) x \(columns) is not from 1 to 2^30 values a matrix")
      }
    }
    (self.rows, self.depth, self.columns, self.precision) = (rows, depth, columns, precision)
  }

  package var operations: Double { 2 * Double(rows) * Double(depth) * Double(columns) }
  /// Bytes of the operands and the result.
  package var byteCount: Double {
    4 * (Double(rows) * Double(depth) + Double(rows) * Double(columns))
      + (precision == .float32 ? 4 : 2) * Double(depth) * Double(columns)
  }

  /// How many kernel rows there are.
  package static var kernelCount: Int { KernelTable.all.count }

  /// - Parameter progress: called with the share that is done.
  package func measure(
    threads: [Int], seed: UInt64, _ stopwatch: Stopwatch, progress: (Double) -> Void = { _ in }
  ) throws(EngineError) -> [Result] {
    var random = RandomTensors(seed: seed)
    func matrix(_ name: String, _ extents: [Int]) throws(EngineError) -> [Float] {
      do throws(FormatError) {
        return try random.numbers(for: Value(name: name, elementType: .float32, shape: nil), shape: extents).elements()
      } catch {
        throw EngineError(.invalidInput, error.message)
      }
    }
    let a = try alignedCopy(matrix("A", [rows, depth]))
    let b = try matrix("B", [depth, columns])
    let bias = try matrix("bias", [columns])
    let c = try RawMemory(byteCount: rows * columns * MemoryLayout<Float>.stride)
    var results: [Result] = []
    let total = Double(KernelTable.all.count * threads.count)
    for table in KernelTable.all {
      let weights = try unsafe b.withUnsafeBufferPointer { values throws(EngineError) in
        try unsafe PackedMatrix(
          depth: depth, columns: columns, source: UnsafeRawBufferPointer(values), precision: precision, table: table)
      }
      for count in threads {
        let done = Double(results.count)
        let statistics = try time(a, weights, bias, c, .forBenchmark(threads: count), stopwatch) {
          progress((done + $0) / total)
        }
        results.append(
          Result(
            kernel: table.gemmName(precision), instructionSet: table.instructionSet,
            streams: Gemm.streams(rows: rows, weights: weights, pool: .forBenchmark(threads: count)),
            threads: count, isChosen: table.gemmName(precision) == KernelTable.current.gemmName(precision),
            statistics: statistics, gflops: operations / statistics.median / 1000,
            gigabytesPerSecond: byteCount / statistics.median / 1000))
      }
    }
    return results
  }

  private func time(
    _ a: RawMemory, _ weights: PackedMatrix, _ bias: [Float], _ c: RawMemory, _ pool: ThreadPool,
    _ stopwatch: Stopwatch, progress: (Double) -> Void
  ) throws(EngineError) -> TimingStatistics {
    let scratch = try RawMemory(
      byteCount: Gemm.scratchByteCount(
        rows: rows, depth: depth, columns: columns, table: weights.table))
    let left = unsafe UnsafePointer(a.base.assumingMemoryBound(to: Float.self))
    let target = unsafe c.base.assumingMemoryBound(to: Float.self)
    return unsafe bias.withUnsafeBufferPointer { bias in
      unsafe stopwatch.measure(progress: progress) {
        unsafe Gemm.run(
          rows: rows, a: left, lda: depth, weights: weights, bias: bias.baseAddress, activation: .identity, c: target,
          ldc: columns, scratch: scratch.base, pool: pool)
      }
    }
  }
}

/// Values where the values of a network lie: on a cache line.
func alignedCopy<Element: BitwiseCopyable>(_ values: [Element]) throws(EngineError) -> RawMemory {
  let byteCount = values.count * MemoryLayout<Element>.stride
  let memory = try RawMemory(byteCount: byteCount)
  unsafe values.withUnsafeBytes { source in
    if let base = unsafe source.baseAddress { unsafe memory.base.copyMemory(from: base, byteCount: byteCount) }
  }
  return memory
}
