import NNFormat

/// Sums of products over named axes.
package enum EinsumOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Einsum", since: 12) { context throws(EngineError) in
      let equation = context.node.text("equation", default: "")
      let maker = EinsumMaker(equation: try EinsumEquation(equation, operands: context.inputTypes.count))
      return try ScalarTypes.numeric(context.commonType(), maker, context)
    }
  ]
}

/// An equation such as `bij,bjk->bik`, as lists of axis labels. An ellipsis is a label until ranks are known.
struct EinsumEquation: Sendable {
  static let ellipsis: Character = "."
  let inputs: [[Character]]
  /// `nil` for the implicit form: labels that occur once, in alphabetical order.
  let output: [Character]?

  init(_ text: String, operands: Int) throws(EngineError) {
    let sides = text.filter { $0 != " " }.replacing("...", with: ".").split(
      separator: "->", omittingEmptySubsequences: false)
    let failure = EngineError(.invalidGraph, "the equation \"\(text)\" cannot be read")
    guard let left = sides.first, sides.count <= 2 else { throw failure }
    inputs = left.split(separator: ",", omittingEmptySubsequences: false).map(Array.init)
    output = sides.count == 2 ? Array(sides[1]) : nil
    let labels = inputs.joined() + (output ?? [])
    guard inputs.count == operands, labels.allSatisfy({ $0.isLetter || $0 == EinsumEquation.ellipsis }),
      (inputs + [output ?? []]).allSatisfy({ $0.count { $0 == EinsumEquation.ellipsis } <= 1 })
    else { throw failure }
  }

  /// An axis: a label, or one of those that an ellipsis stands for, counted from the last.
  enum Axis: Hashable { case label(Character), ellipsis(Int) }

  /// The axes of one side for a value of a rank; without a rank, for as many ellipsis axes as given.
  func expand(_ labels: [Character], ellipsisRank: Int) -> [Axis] {
    labels.flatMap { label in
      label == EinsumEquation.ellipsis
        ? (0..<ellipsisRank).reversed().map { Axis.ellipsis($0) } : [Axis.label(label)]
    }
  }
}

private struct EinsumMaker: ArithmeticOperators.StepMaker {
  let equation: EinsumEquation

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    EinsumStep<T>(equation: equation, zero: 0, one: 1, multiply: { $0 &* $1 }, add: { $0 &+ $1 })
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step {
    EinsumStep<T>(equation: equation, zero: 0, one: 1, multiply: { $0 * $1 }, add: { $0 + $1 })
  }
}

/// The plain evaluation: for each element of the output a loop over all summed axes.
struct EinsumStep<T: TensorScalar>: Step {
  let equation: EinsumEquation
  let zero: T
  let one: T
  let multiply: @Sendable (T, T) -> T
  let add: @Sendable (T, T) -> T

  var outputTypes: [ElementType] { [T.elementType] }
  var kernel: String { "einsum" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    var extents: [EinsumEquation.Axis: Int] = [:]
    var axesOfInput: [[EinsumEquation.Axis]] = []
    var ellipsisRank = 0
    for index in 0..<inputs.count {
      let shape = try inputs.shape(index)
      let labels = equation.inputs[index]
      let hidden = labels.contains(EinsumEquation.ellipsis) ? shape.count - labels.count + 1 : 0
      let axes = equation.expand(labels, ellipsisRank: max(hidden, 0))
      guard hidden >= 0, axes.count == shape.count else {
        throw EngineError(.shapeMismatch, "\(Shape(shape)) does not have the axes \(String(labels))")
      }
      ellipsisRank = max(ellipsisRank, hidden)
      for (axis, extent) in zip(axes, shape) where extents[axis] != extent {
        guard extents[axis] == nil || extents[axis] == 1 || extent == 1 else {
          throw EngineError(.shapeMismatch, "an axis is \(extents[axis] ?? 0) in one operand and \(extent) in another")
        }
        if extents[axis] == nil || extent != 1 { extents[axis] = extent }
      }
      axesOfInput.append(axes)
    }
    let kept = try outputAxes(axesOfInput, extents, ellipsisRank)
    let shape = kept.map { extents[$0] ?? 1 }
    let all = kept + extents.keys.filter { !kept.contains($0) }.sorted { order($0) < order($1) }
    let strides = try axesOfInput.enumerated().map { index, axes throws(EngineError) in
      EinsumStep.strides(axes, try inputs.shape(index), all)
    }
    let count = try Extents.count(shape)
    let summed = all.dropFirst(kept.count).map { extents[$0] ?? 1 }
    let terms = try Extents.count(shape + summed)
    let outer = LoopNest(shape, strides: strides.map { Array($0.prefix(kept.count)) })
    let inner = LoopNest(summed, strides: strides.map { Array($0.dropFirst(kept.count)) })
    let counts = try (0..<inputs.count).map { index throws(EngineError) in try inputs.view(index).count }
    let (zero, one, multiply, add) = (zero, one, multiply, add)
    return Work([shape], cost: .elements(terms, operations: max(inputs.count, 1))) { (memory) throws(EngineError) in
      let target = memory.output(0, T.self, count: count)
      for index in 0..<count {
        let (row, column) = index.quotientAndRemainder(dividingBy: outer.rowLength)
        var sum = zero
        for innerRow in 0..<inner.rows {
          for step in 0..<inner.rowLength {
            var product = one
            for operand in counts.indices {
              let place =
                outer.offset(of: row, in: operand) + column * outer.rowStrides[operand]
                + inner.offset(of: innerRow, in: operand) + step * inner.rowStrides[operand]
              product = multiply(product, memory.input(operand, T.self, count: counts[operand])[place])
            }
            sum = add(sum, product)
          }
        }
        target[index] = sum
      }
    }
  }

  private func outputAxes(
    _ inputs: [[EinsumEquation.Axis]], _ extents: [EinsumEquation.Axis: Int], _ ellipsisRank: Int
  ) throws(EngineError) -> [EinsumEquation.Axis] {
    if let output = equation.output {
      let axes = equation.expand(output, ellipsisRank: ellipsisRank)
      guard Set(axes).count == axes.count, axes.allSatisfy({ extents[$0] != nil }) else {
        throw EngineError(.invalidGraph, "the output axes \(String(output)) are repeated or not those of an input")
      }
      return axes
    }
    var uses: [EinsumEquation.Axis: Int] = [:]
    for axis in inputs.joined() { uses[axis, default: 0] += 1 }
    let hidden = equation.expand([EinsumEquation.ellipsis], ellipsisRank: ellipsisRank)
    let single = uses.filter { axis, count in if case .label = axis { count == 1 } else { false } }.keys
    return hidden + single.sorted { order($0) < order($1) }
  }

  private func order(_ axis: EinsumEquation.Axis) -> String {
    switch axis {
    case .ellipsis(let index): " \(1000 - index)"
    case .label(let label): String(label)
    }
  }

  /// How far an operand moves along each axis of the whole index space; a repeated label walks a diagonal.
  private static func strides(
    _ axes: [EinsumEquation.Axis], _ shape: [Int], _ all: [EinsumEquation.Axis]
  ) -> [Int] {
    let own = Extents.strides(shape)
    return all.map { axis in
      axes.indices.reduce(0) { $0 + (axes[$1] == axis && shape[$1] != 1 ? own[$1] : 0) }
    }
  }
}
