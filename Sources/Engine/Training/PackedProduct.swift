import NNFormat

/// A product with weights that are trained in the order of `PanelLayout`, with what belongs to it in the graph.
struct PackedProduct {
  let layout: PanelLayout
  /// Whether the node adds a bias of one value a column.
  let hasBias: Bool
  /// Whether what follows is a rectifier that nothing else reads in front of.
  let rectifies: Bool

  /// The layouts of the parameters that nothing but products of matrices reads.
  ///
  /// - Parameters:
  ///   - shapes: the shape of each value that may be kept so.
  ///   - all: the shape of each value that is a parameter.
  static func layouts(of draft: Draft, shapes: [Int: [Int]], all: [Int: [Int]]) -> [Int: PanelLayout] {
    var layouts: [Int: PanelLayout] = [:]
    for (value, shape) in shapes where shape.count == 2 && !shape.contains(0) && !draft.outputs.contains(value) {
      layouts[value] = PanelLayout(depth: shape[0], columns: shape[1])
    }
    for node in draft.nodes {
      for (position, input) in node.inputs.enumerated() {
        guard let input, layouts[input] != nil else { continue }
        if position != 1 || !isPlainProduct(node, draft, all) { layouts[input] = nil }
      }
    }
    return layouts
  }

  private static func isPlainProduct(_ node: DraftNode, _ draft: Draft, _ shapes: [Int: [Int]]) -> Bool {
    if node.isOperator("MatMul") { return true }
    guard node.isOperator("Gemm"), node.origin.int("transA", default: 0) == 0,
      node.origin.int("transB", default: 0) == 0, node.origin.float("alpha", default: 1) == 1,
      case let weights?? = node.inputs.dropFirst().first, let columns = shapes[weights]?.last
    else { return false }
    guard case let bias?? = node.inputs.dropFirst(2).first else { return true }
    let shape = shapes[bias] ?? draft.values[bias].constant?.shape
    return shape == [columns] && node.origin.float("beta", default: 1) == 1
  }

  /// Nodes whose result goes into a rectifier and nowhere else.
  static func rectified(_ draft: Draft, kept: Set<Int>) -> Set<Int> {
    let consumers = draft.consumers()
    var rectified: Set<Int> = []
    for (index, node) in draft.nodes.enumerated() where node.isOperator("Gemm") {
      guard case let output?? = node.outputs.first, !kept.contains(output), consumers[output].count == 1,
        let next = consumers[output].first, draft.nodes[next].isOperator("Relu")
      else { continue }
      rectified.insert(index)
    }
    return rectified
  }

  /// Backwards: the weights' gradient or update, the input's gradient, and the bias's.
  var rule: GradientRule {
    let (layout, hasBias) = (layout, hasBias)
    return GradientRule("Gemm") { (context) throws(EngineError) in
      let rows = context.outputShapes[0].dropLast().reduce(1, *)
      let back = layout.transposed
      let scratch = max(
        WeightGradient.scratchByteCount(rows: rows, layout),
        back.count * 4 + Gemm.scratchByteCount(rows: rows, depth: back.depth, columns: back.columns))
      let sum = hasBias ? BroadcastSum(from: [rows, layout.columns], to: [layout.columns]) : nil
      return GradientWork(scratchByteCount: scratch) { memory throws(EngineError) in
        let dy = memory.outputGradient(0)
        // Before the weights' own gradient, which may change them.
        if let target = memory.inputGradient(0), target.count > 0 {
          let panels = unsafe memory.scratch.assumingMemoryBound(to: Float.self)
          unsafe layout.transpose(memory.input(1).base, into: panels, memory.pool)
          unsafe Gemm.run(
            rows: rows, back, a: dy.base, panels: panels, c: target.base, scratch: memory.scratch + back.count * 4,
            pool: memory.pool)
        }
        if let target = memory.inputGradient(1) {
          unsafe WeightGradient(
            rows: rows, layout, a: memory.input(0).base, into: target.base, update: memory.update,
            scratch: memory.scratch, pool: memory.pool
          ).run(dy: dy.base, memory.pool)
        }
        if let sum, let target = memory.inputGradient(2) { sum.run(dy, into: target, memory.pool) }
      }
    }
  }
}

/// The forward pass of a packed product.
struct PackedProductStep: Step {
  let product: PackedProduct
  let outputTypes: [ElementType] = [.float32]
  let kernel = "gemm"

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let (layout, hasBias) = (product.layout, product.hasBias)
    guard shape.last == layout.depth else {
      throw EngineError(
        .shapeMismatch,
        "rows of \(Shape(shape)) do not fit weights of \(Shape([layout.depth, layout.columns]))")
    }
    let rows = shape.dropLast().reduce(1, *)
    let activation: Activation = product.rectifies ? .relu : .identity
    return Work(
      [shape.dropLast() + [layout.columns]],
      scratchByteCount: Gemm.scratchByteCount(rows: rows, depth: layout.depth, columns: layout.columns),
      cost: .products(rows: rows, depth: layout.depth, columns: layout.columns)
    ) { (memory) throws(EngineError) in
      unsafe Gemm.run(
        rows: rows, layout, a: memory.input(0).assumingMemoryBound(to: Float.self),
        panels: memory.input(1).assumingMemoryBound(to: Float.self),
        bias: hasBias ? memory.input(2).assumingMemoryBound(to: Float.self) : nil,
        activation: activation, c: memory.output(0).assumingMemoryBound(to: Float.self), scratch: memory.scratch,
        pool: memory.pool)
    }
  }
}

/// What is left of a rectifier when the product in front of it rectifies: the same value.
struct PassingStep: Step {
  let outputTypes: [ElementType] = [.float32]
  let kernel = "none"

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    var work = Work([try inputs.shape(0)]) { _ throws(EngineError) in }
    work.alias = 0
    return work
  }
}
