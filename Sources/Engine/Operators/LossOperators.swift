import NNFormat

/// Losses of classifiers.
package enum LossOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("NegativeLogLikelihoodLoss", since: 12) { context throws(EngineError) in
      try make(context, takesScores: false)
    },
    OperatorImplementation("SoftmaxCrossEntropyLoss", since: 12) { context throws(EngineError) in
      try make(context, takesScores: true)
    },
  ]

  private static func make(_ context: NodeContext, takesScores: Bool) throws(EngineError) -> any Step {
    let name = context.node.text("reduction", default: "mean")
    guard let reduction = LossForm.Reduction(rawValue: name) else {
      throw context.invalid("\"\(name)\" is no reduction of a loss")
    }
    let ignored = context.node.attribute("ignore_index").map { _ in context.int("ignore_index", default: 0) }
    let form = LossForm(
      reduction: reduction, ignored: ignored, takesScores: takesScores, targetType: try context.indexType(1),
      hasWeights: context.has(2))
    let type = try context.type(0)
    guard !context.has(2) || context.inputTypes[2] == type,
      let step = ScalarTypes.real(type, LossMaker(form: form))
    else { throw context.unsupported(type) }
    return step
  }
}

/// The attributes of a loss.
struct LossForm: Sendable {
  /// What becomes of the losses of single elements.
  enum Reduction: String, Sendable { case none, mean, sum }

  let reduction: Reduction
  /// The class that counts as nothing.
  let ignored: Int?
  /// Whether input 0 are scores, whose log-softmax is taken and given as output 1, instead of log-probabilities.
  let takesScores: Bool
  let targetType: ElementType
  let hasWeights: Bool
}

private struct LossMaker: RealVisitor {
  let form: LossForm
  func visit<T: RealScalar>(_: T.Type) -> any Step { LossStep<T>(form: form) }
}

/// The negated, weighted log-probability of the true class along axis 1, for each element, summed up or averaged.
///
/// Shapes: (N, C, d...) against classes (N, d...) and weights (C). The average is over the weights, not the elements.
struct LossStep<T: RealScalar>: Step {
  let form: LossForm

  var outputTypes: [ElementType] { form.takesScores ? [T.elementType, T.elementType] : [T.elementType] }
  var kernel: String { form.takesScores ? "softmaxCrossEntropy" : "negativeLogLikelihood" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let targets = try inputs.shape(1)
    guard shape.count >= 2, targets == [shape[0]] + shape.dropFirst(2) else {
      throw EngineError(.shapeMismatch, "classes of shape \(Shape(targets)) for scores of shape \(Shape(shape))")
    }
    if form.hasWeights, try inputs.shape(2) != [shape[1]] {
      throw EngineError(.shapeMismatch, "\(Shape(try inputs.shape(2))) are no weights of \(shape[1]) classes")
    }
    let (count, targetCount) = (try Extents.count(shape), try Extents.count(targets))
    let (classes, inner) = (shape[1], Extents.product(shape.dropFirst(2)))
    let form = form
    let result = form.reduction == .none ? targets : []
    return Work(form.takesScores ? [result, shape] : [result]) { (memory) throws(EngineError) in
      let scores = memory.input(0, T.self, count: count)
      let wanted = memory.indices(1, form.targetType, count: targetCount)
      let loss = memory.output(0, T.self, count: form.reduction == .none ? targetCount : 1)
      var (sum, total) = (0.0, 0.0)
      for index in 0..<targetCount {
        let start = index / inner * classes * inner + index % inner
        let logarithm = form.takesScores ? logSum(scores, start, classes, inner) : 0
        if form.takesScores, memory.hasOutput(1) {
          let target = memory.output(1, T.self, count: count)
          for place in 0..<classes {
            target[start + place * inner] = T(Double(scores[start + place * inner]) - logarithm)
          }
        }
        var (value, weight) = (0.0, 0.0)
        if wanted[index] != form.ignored {
          let place = wanted[index]
          guard place >= 0, place < classes else {
            throw EngineError(.invalidInput, "class \(place) is not one of \(classes)")
          }
          weight = form.hasWeights ? Double(memory.input(2, T.self, count: classes)[place]) : 1
          value = (logarithm - Double(scores[start + place * inner])) * weight
        }
        if form.reduction == .none { loss[index] = T(value) }
        sum += value
        total += weight
      }
      if form.reduction != .none { loss[0] = T(form.reduction == .mean ? sum / total : sum) }
    }
  }

  /// The logarithm of the sum of exponentials along axis 1.
  private func logSum(_ scores: Elements<T>, _ start: Int, _ classes: Int, _ stride: Int) -> Double {
    var highest = -Double.infinity
    for place in 0..<classes { highest = Double.maximum(highest, Double(scores[start + place * stride])) }
    var sum = 0.0
    for place in 0..<classes { sum += Double.exp(Double(scores[start + place * stride]) - highest) }
    return highest + Double.log(sum)
  }
}
