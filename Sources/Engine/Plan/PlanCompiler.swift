import NNFormat

/// The way from a model to the steps of a plan.
package enum PlanCompiler {
  package struct Result {
    package var draft: Draft
    package var steps: [ExecutionPlan.BoundStep]
  }

  package static func compile(_ model: Model, options: EngineOptions, pool: ThreadPool) throws(EngineError) -> Result {
    var draft = try GraphReader.read(model)
    draft.givenByteCount = draft.values.reduce(0) { $0 + ($1.constant?.byteCount ?? 0) }
    try ConstantFolding.apply(to: &draft, options: options, pool: pool)
    if options.fusion {
      try Fusion.removeCopies(&draft)
      try Fusion.fuseQuantised(&draft, pool, rank: InferredRanks(model, draft).rank)
      try ConstantFolding.finish(&draft, options: options, pool: pool)
      try Fusion.apply(to: &draft, pool: pool)
      Fusion.shareRanges(&draft)
    }
    draft.removeDeadNodes()
    var steps: [ExecutionPlan.BoundStep] = []
    for node in draft.nodes {
      let step = try StepFactory.preparedStep(for: node, in: draft, precision: options.precision, pool: pool)
      steps.append(
        ExecutionPlan.BoundStep(
          step: step, inputs: node.inputs, outputs: node.outputs,
          name: node.origin.name.isEmpty ? node.origin.outputs.first ?? "" : node.origin.name,
          operatorType: node.describedOperator, label: node.origin.label))
    }
    return Result(draft: draft, steps: steps)
  }
}

extension DraftNode {
  /// The operator it computes, with what was fused into it.
  package var describedOperator: String {
    switch operation {
    case .standard, .conditional: origin.operatorType
    case .dense(let layer): "Dense" + Self.suffix(layer.bias != nil, layer.activation)
    case .integerDense(let layer):
      "IntegerDense" + Self.suffix(layer.bias != nil || layer.offsets != nil, layer.activation)
        + (layer.rounding == nil ? "" : "+quantise")
    case .codeDense(let layer): "CodeDense" + Self.suffix(layer.bias != nil, layer.activation)
    case .activation(let activation): activation.name
    case .affine: "Affine"
    }
  }

  private static func suffix(_ hasBias: Bool, _ activation: Activation) -> String {
    (hasBias ? "+bias" : "") + (activation == .identity ? "" : "+\(activation.name)")
  }
}

/// The numbers of axes of values, inferred when the first one is asked for.
private final class InferredRanks {
  private let model: Model
  private let names: [String]
  private var inference: ShapeInference?

  init(_ model: Model, _ draft: Draft) {
    self.model = model
    names = draft.values.map(\.name)
  }

  func rank(_ value: Int) -> Int? {
    if inference == nil { inference = try? ShapeInference.infer(model) }
    return inference?[names[value]]?.shape?.dimensions.count
  }
}
