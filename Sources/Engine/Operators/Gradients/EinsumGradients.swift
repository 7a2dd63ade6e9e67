import NNFormat

/// Gradients of Einsum of two operands without repeated or broadcast labels.
enum EinsumGradients {
  static let rules: [GradientRule] = [GradientRule("Einsum", make: make)]

  /// An operand's gradient is the sum, over the labels that it does not have, of the output's gradient times the other
  /// operand.
  @Sendable private static func make(_ context: GradientContext) throws(EngineError) -> GradientWork {
    let equation = context.node.text("equation", default: "").filter { $0 != " " }
    guard let arrow = equation.firstIndex(of: "-"), equation[arrow...].hasPrefix("->") else {
      throw context.unsupported("an equation without an output has no gradient")
    }
    let terms = equation[..<arrow].split(separator: ",", omittingEmptySubsequences: false).map(Array.init)
    let output = Array(equation[equation.index(arrow, offsetBy: 2)...])
    guard terms.count == 2, !equation.contains("."), (terms + [output]).allSatisfy({ Set($0).count == $0.count }) else {
      throw context.unsupported("the equation \"\(equation)\" has no gradient")
    }
    var extents: [Character: Int] = [:]
    for (index, term) in terms.enumerated() {
      let shape = try context.shape(index)
      guard shape.count == term.count else { throw context.unsupported("its equation does not fit") }
      for (label, extent) in zip(term, shape) { extents[label] = extent }
    }
    let labels = output + Set(terms.joined()).subtracting(output).sorted()
    let shape = labels.map { extents[$0] ?? 1 }
    func strides(_ term: [Character]) -> [Int] {
      let own = Extents.strides(term.map { extents[$0] ?? 1 })
      return labels.map { label in term.firstIndex(of: label).map { own[$0] } ?? 0 }
    }
    let nests = (0...1).map { side in
      LoopNest(shape, strides: [strides(output), strides(terms[0]), strides(terms[1]), strides(terms[side])])
    }
    return GradientWork { memory throws(EngineError) in
      let dy = memory.outputGradient(0)
      if let target = memory.inputGradient(0) {
        ElementwiseGradients.gather(nests[0], dy, memory.input(0), memory.input(1), into: target) { dy, _, y in dy * y }
      }
      if let target = memory.inputGradient(1) {
        ElementwiseGradients.gather(nests[1], dy, memory.input(0), memory.input(1), into: target) { dy, x, _ in dy * x }
      }
    }
  }
}
