import NNFormat

#if canImport(Glibc)
  import Glibc
#endif

/// Gradients of arithmetic on operands that broadcast.
enum ElementwiseGradients {
  static let rules: [GradientRule] = [
    GradientRule("Add") { (context) throws(EngineError) in
      try binary(context, { dy, _, _ in dy }, { dy, _, _ in dy })
    },
    GradientRule("Sub") { (context) throws(EngineError) in
      try binary(context, { dy, _, _ in dy }, { dy, _, _ in -dy })
    },
    GradientRule("Mul") { (context) throws(EngineError) in
      try binary(context, { dy, _, y in dy * y }, { dy, x, _ in dy * x })
    },
    GradientRule("Div") { (context) throws(EngineError) in
      try binary(context, { dy, _, y in dy / y }, { dy, x, y in -dy * x / (y * y) })
    },
    GradientRule("Pow") { (context) throws(EngineError) in
      try binary(
        context, { dy, x, y in y == 0 ? 0 : dy * y * powf(x, y - 1) },
        { dy, x, y in x > 0 ? dy * powf(x, y) * logf(x) : 0 })
    },
    GradientRule("PRelu") { (context) throws(EngineError) in
      try binary(context, { dy, x, y in x > 0 ? dy : dy * y }, { dy, x, _ in x > 0 ? 0 : dy * x })
    },
    GradientRule("Max") { (context) throws(EngineError) in try extreme(context) },
    GradientRule("Min") { (context) throws(EngineError) in try extreme(context) },
    GradientRule("Sum") { (context) throws(EngineError) in try sum(context, factor: 1) },
    GradientRule("Mean") { (context) throws(EngineError) in
      try sum(context, factor: 1 / Float(context.inputs.count))
    },
    GradientRule("Where") { (context) throws(EngineError) in try selection(context) },
    GradientRule("Clip") { (context) throws(EngineError) in try clip(context) },
  ]

  /// A term of a gradient from the output's gradient and the two operands.
  typealias Term = @Sendable (Float, Float, Float) -> Float

  private static func binary(
    _ context: GradientContext, _ left: @escaping Term, _ right: @escaping Term
  ) throws(EngineError) -> GradientWork {
    let output = context.outputShapes[0]
    let shapes = (try context.shape(0), try context.shape(1))
    let nests = [shapes.0, shapes.1].map { target in
      LoopNest(
        output,
        strides: [
          Extents.strides(output), Extents.strides(of: shapes.0, in: output),
          Extents.strides(of: shapes.1, in: output), Extents.strides(of: target, in: output),
        ])
    }
    return GradientWork { memory throws(EngineError) in
      let dy = memory.outputGradient(0)
      for (side, term) in [left, right].enumerated() {
        guard let target = memory.inputGradient(side) else { continue }
        gather(nests[side], dy, memory.input(0), memory.input(1), into: target, term)
      }
    }
  }

  /// Adds a term for each element of the output to the element of the target that it came from.
  static func gather(
    _ nest: LoopNest, _ dy: Floats, _ x: Floats, _ y: Floats, into target: Floats, _ term: Term
  ) {
    target.fill(0)
    let steps = nest.rowStrides
    for row in 0..<nest.rows {
      var places = (
        nest.offset(of: row, in: 0), nest.offset(of: row, in: 1), nest.offset(of: row, in: 2),
        nest.offset(of: row, in: 3)
      )
      for _ in 0..<nest.rowLength {
        target[places.3] += term(dy[places.0], x[places.1], y[places.2])
        places = (places.0 + steps[0], places.1 + steps[1], places.2 + steps[2], places.3 + steps[3])
      }
    }
  }

  /// The operand that gave the result takes the gradient; equal operands share it.
  private static func extreme(_ context: GradientContext) throws(EngineError) -> GradientWork {
    let output = context.outputShapes[0]
    var nests: [LoopNest] = []
    for index in context.inputs.indices {
      let strides = Extents.strides(of: try context.shape(index), in: output)
      nests.append(LoopNest(output, strides: [Extents.strides(output), strides, Extents.strides(output), strides]))
    }
    let all = nests
    let count = output.reduce(1, *)
    return GradientWork(scratchByteCount: count * 4) { memory throws(EngineError) in
      let (dy, result) = (memory.outputGradient(0), memory.output(0))
      let shares = unsafe Floats(memory.scratch, count: count)
      shares.fill(0)
      for index in 0..<memory.inputCount {
        let input = memory.input(index)
        forEach(all[index]) { place, source in if input[source] == result[place] { shares[place] += 1 } }
      }
      for index in 0..<memory.inputCount {
        guard let target = memory.inputGradient(index) else { continue }
        let input = memory.input(index)
        target.fill(0)
        forEach(all[index]) { place, source in
          if input[source] == result[place] { target[source] += dy[place] / shares[place] }
        }
      }
    }
  }

  /// Calls `body` with the place in the output and the place in the operand, for every element.
  static func forEach(_ nest: LoopNest, _ body: (Int, Int) -> Void) {
    for row in 0..<nest.rows {
      let starts = (nest.offset(of: row, in: 0), nest.offset(of: row, in: 1))
      for index in 0..<nest.rowLength {
        body(starts.0 + index * nest.rowStrides[0], starts.1 + index * nest.rowStrides[1])
      }
    }
  }

  private static func sum(_ context: GradientContext, factor: Float) throws(EngineError) -> GradientWork {
    var sums: [BroadcastSum] = []
    for index in context.inputs.indices {
      sums.append(BroadcastSum(from: context.outputShapes[0], to: try context.shape(index)))
    }
    let all = sums
    return GradientWork { memory throws(EngineError) in
      for index in 0..<memory.inputCount {
        guard let target = memory.inputGradient(index) else { continue }
        all[index].run(memory.outputGradient(0), into: target, memory.pool)
        if factor != 1 { for element in 0..<target.count { target[element] *= factor } }
      }
    }
  }

  private static func selection(_ context: GradientContext) throws(EngineError) -> GradientWork {
    let output = context.outputShapes[0]
    let condition = Extents.strides(of: try context.shape(0), in: output)
    var nests: [LoopNest] = []
    for index in 1...2 {
      nests.append(
        LoopNest(
          output,
          strides: [Extents.strides(output), condition, Extents.strides(of: try context.shape(index), in: output)]))
    }
    let all = nests
    return GradientWork { memory throws(EngineError) in
      let dy = memory.outputGradient(0)
      let flags = unsafe memory.rawInput(0).assumingMemoryBound(to: UInt8.self)
      for index in 1...2 {
        guard let target = memory.inputGradient(index) else { continue }
        target.fill(0)
        all[index - 1].forEachTriple { place, flag, taken in
          if unsafe (flags[flag] != 0) == (index == 1) { target[taken] += dy[place] }
        }
      }
    }
  }

  private static func clip(_ context: GradientContext) throws(EngineError) -> GradientWork {
    guard !context.wants(1), !context.wants(2) else { throw context.unsupported("its limits have no gradient") }
    let count = try context.input(0).count
    let attributes = (context.node.attribute("min"), context.node.attribute("max"))
    let has = (context.has(1), context.has(2))
    return GradientWork { memory throws(EngineError) in
      guard let target = memory.inputGradient(0) else { return }
      var (low, high) = (-Float.infinity, Float.infinity)
      if case .float(let value)? = attributes.0 { low = value }
      if case .float(let value)? = attributes.1 { high = value }
      if has.0 { low = memory.input(1)[0] }
      if has.1 { high = memory.input(2)[0] }
      let (x, dy) = (memory.input(0), memory.outputGradient(0))
      for index in 0..<count { target[index] = x[index] >= low && x[index] <= high ? dy[index] : 0 }
    }
  }
}
