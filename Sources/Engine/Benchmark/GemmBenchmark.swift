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
    let a = try matrix("A", [rows, depth])
    let b = try matrix("B", [depth, columns])
    let bias = try matrix("bias", [columns])
    var c = [Float](repeating: 0, count: rows * columns)
    var results: [Result] = []
    let total = Double(KernelTable.all.count * threads.count)
    for table in KernelTable.all {
      let weights = unsafe b.withUnsafeBytes { bytes in
        unsafe PackedMatrix(depth: depth, columns: columns, source: bytes, precision: precision, table: table)
      }
      for count in threads {
        let done = Double(results.count)
        let statistics = try time(a, weights, bias, &c, .forBenchmark(threads: count), stopwatch) {
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
    _ a: [Float], _ weights: PackedMatrix, _ bias: [Float], _ c: inout [Float], _ pool: ThreadPool,
    _ stopwatch: Stopwatch, progress: (Double) -> Void
  ) throws(EngineError) -> TimingStatistics {
    let scratch = try RawMemory(
      byteCount: Gemm.scratchByteCount(
        rows: rows, depth: depth, columns: columns, threads: pool.threadCount, table: weights.table))
    return unsafe a.withUnsafeBufferPointer { a in
      unsafe bias.withUnsafeBufferPointer { bias in
        unsafe c.withUnsafeMutableBufferPointer { c in
          guard let a = a.baseAddress, let bias = bias.baseAddress, let c = c.baseAddress else {
            return TimingStatistics([])
          }
          return stopwatch.measure(progress: progress) {
            unsafe Gemm.run(
              rows: rows, a: a, lda: depth, weights: weights, bias: bias, activation: .identity, c: c, ldc: columns,
              scratch: scratch.base, pool: pool)
          }
        }
      }
    }
  }
}
