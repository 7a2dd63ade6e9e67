import NNFormat

extension GemmBenchmark {
  /// Times the same product of bytes, uint8 by int8 with float results, with every integer kernel row that the machine can
  /// run. Weights are within -64...63, which every row takes as they are.
  package func measureIntegers(
    threads: [Int], seed: UInt64, _ stopwatch: Stopwatch, progress: (Double) -> Void = { _ in }
  ) throws(EngineError) -> [Result] {
    var random = RandomTensors(seed: seed)
    func bytes(_ count: Int, within range: ClosedRange<Int64>) throws(EngineError) -> [UInt8] {
      do throws(FormatError) {
        let values: [Float] = try random.numbers(
          for: Value(name: "codes", elementType: .float32, shape: nil), shape: [count]
        ).elements()
        let width = Float(range.upperBound - range.lowerBound)
        return values.map { value in
          let place = Int64((value - value.rounded(.down)) * width)
          return UInt8(truncatingIfNeeded: range.lowerBound + place)
        }
      } catch {
        throw EngineError(.invalidInput, error.message)
      }
    }
    let a = try alignedCopy(bytes(rows * depth, within: 0...255))
    let b = try bytes(depth * columns, within: -64...63)
    let c = try RawMemory(byteCount: rows * columns * MemoryLayout<Float>.stride)
    let kernels = IntegerKernels.all(for: .current)
    let best = IntegerKernels.best(for: .current).name
    let byteCount = Double(rows * depth + depth * columns) + 4 * Double(rows * columns)
    var results: [Result] = []
    for kernel in kernels {
      let weights = try unsafe b.withUnsafeBufferPointer { source throws(EngineError) -> PackedByteMatrix? in
        guard let start = source.baseAddress else { return nil }
        return try unsafe PackedByteMatrix(
          depth: depth, columns: columns, source: start, isTransposed: false, isSigned: true, zeros: [0],
          kernels: kernel, pool: .shared)
      }
      guard let weights else { continue }
      for count in threads {
        let done = Double(results.count)
        let statistics = try time(a, weights, c, .forBenchmark(threads: count), stopwatch) {
          progress((done + $0) / Double(kernels.count * threads.count))
        }
        results.append(
          Result(
            kernel: kernel.name, instructionSet: kernel.instructionSet, streams: false, threads: count,
            isChosen: kernel.name == best, statistics: statistics, gflops: operations / statistics.median / 1000,
            gigabytesPerSecond: byteCount / statistics.median / 1000))
      }
    }
    return results
  }

  private func time(
    _ a: RawMemory, _ weights: PackedByteMatrix, _ c: RawMemory, _ pool: ThreadPool, _ stopwatch: Stopwatch,
    progress: (Double) -> Void
  ) throws(EngineError) -> TimingStatistics {
    let scratch = try unsafe RawMemory(byteCount: ByteGemm.scratchByteCount(rows: rows, weights: weights))
    let scales = try ColumnValues([Float](repeating: 0.01, count: columns), fill: 1)
    let bias = try ColumnValues([Float](repeating: 0.5, count: columns), fill: 0)
    let zero = try ColumnValues([Int32(7)], fill: 0)
    let left = unsafe UnsafePointer(a.base.assumingMemoryBound(to: UInt8.self))
    let target = unsafe c.base.assumingMemoryBound(to: Float.self)
    let scaling = unsafe ByteGemm.Scaling(
      rowScales: scales.base, rowStride: 0, columnScales: scales.base, bias: bias.base)
    let gemm = unsafe ByteGemm(
      rows: rows, left: .codes(left, isSigned: false), zeros: zero.base, zeroStride: 0, weights: weights,
      result: .floats(target, scaling))
    return withExtendedLifetime((scales, bias, zero)) {
      stopwatch.measure(progress: progress) { unsafe gemm.run(scratch.base, pool) }
    }
  }
}
