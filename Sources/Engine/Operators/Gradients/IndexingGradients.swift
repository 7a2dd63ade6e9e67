import NNFormat

/// Gradients of operators that take elements by index, in order or by rank.
enum IndexingGradients {
  static let rules: [GradientRule] = [
    GradientRule("Gather", make: gather), GradientRule("TopK", make: topK), GradientRule("CumSum", make: cumSum),
  ]

  /// Rows of a table by index: each row's gradient is the sum over the places that took it.
  @Sendable private static func gather(_ context: GradientContext) throws(EngineError) -> GradientWork {
    let (shape, indices) = (try context.shape(0), try context.input(1))
    let axis = try Extents.axis(context.node.int("axis", default: 0), rank: shape.count)
    let (blocks, rows) = (shape.prefix(axis).reduce(1, *), shape[axis])
    let width = shape.dropFirst(axis + 1).reduce(1, *)
    let (count, type) = (indices.count, indices.elementType)
    guard type == .int32 || type == .int64 else { throw context.unsupported("its indices are \(type.name)") }
    return GradientWork { memory throws(EngineError) in
      guard let target = memory.inputGradient(0) else { return }
      let dy = memory.outputGradient(0)
      let source = unsafe memory.rawInput(1)
      target.fill(0)
      for block in 0..<blocks {
        for position in 0..<count {
          var row =
            unsafe type == .int64
            ? Int(source.loadUnaligned(fromByteOffset: position * 8, as: Int64.self))
            : Int(source.loadUnaligned(fromByteOffset: position * 4, as: Int32.self))
          if row < 0 { row += rows }
          // The forward pass has refused what lies outside.
          guard row >= 0, row < rows else { continue }
          let (from, to) = ((block * count + position) * width, (block * rows + row) * width)
          for k in 0..<width { target[to + k] += dy[from + k] }
        }
      }
    }
  }

  @Sendable private static func topK(_ context: GradientContext) throws(EngineError) -> GradientWork {
    let shape = try context.shape(0)
    let axis = try Extents.axis(context.node.int("axis", default: -1), rank: shape.count)
    let line = AxisLine(shape, axis: axis)
    let taken = context.outputShapes[0][axis]
    let isLargest = context.node.int("largest", default: 1) != 0
    let byteCount = line.extent * MemoryLayout<Int>.stride
    return GradientWork(scratchByteCount: byteCount) { memory throws(EngineError) in
      guard let target = memory.inputGradient(0) else { return }
      let (x, dy) = (memory.input(0), memory.outputGradient(0))
      var order = unsafe UnsafeMutableBufferPointer(
        start: memory.scratch.assumingMemoryBound(to: Int.self), count: line.extent)
      target.fill(0)
      line.forEach { start in
        for k in 0..<line.extent { unsafe order[k] = k }
        unsafe order.sort { left, right in
          let (a, b) = (x[start + left * line.step], x[start + right * line.step])
          return a == b ? left < right : isLargest ? a > b : a < b
        }
        // The lines of the output are shorter by what was not taken.
        let (block, inner) = (start / (line.extent * line.step), start % line.step)
        for k in 0..<taken {
          unsafe target[start + order[k] * line.step] = dy[(block * taken + k) * line.step + inner]
        }
      }
    }
  }

  @Sendable private static func cumSum(_ context: GradientContext) throws(EngineError) -> GradientWork {
    let shape = try context.shape(0)
    let axes = try context.ints(1)
    let axis = try Extents.axis(axes.first ?? 0, rank: shape.count)
    let line = AxisLine(shape, axis: axis)
    let isExclusive = context.node.int("exclusive", default: 0) != 0
    let isReversed = context.node.int("reverse", default: 0) != 0
    return GradientWork { memory throws(EngineError) in
      guard let target = memory.inputGradient(0) else { return }
      let dy = memory.outputGradient(0)
      line.forEach { start in
        var sum: Float = 0
        for position in 0..<line.extent {
          let place = start + (isReversed ? position : line.extent - 1 - position) * line.step
          if isExclusive { target[place] = sum }
          sum += dy[place]
          if !isExclusive { target[place] = sum }
        }
      }
    }
  }
}
