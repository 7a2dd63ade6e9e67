import NNFormat

/// The way from a model to the steps of a plan.
package enum PlanCompiler {
  package struct Result {
    package var draft: Draft
    package var steps: [ExecutionPlan.BoundStep]
  }

  package static func compile(_ model: Model, options: EngineOptions, pool: ThreadPool) throws(EngineError) -> Result {
    var draft = try GraphReader.read(model)
    try ConstantFolding.apply(to: &draft, options: options, pool: pool)
    if options.fusion { try Fusion.apply(to: &draft, pool: pool) }
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
    case .dense(let layer):
      "Dense" + (layer.bias == nil ? "" : "+bias") + (layer.activation == .identity ? "" : "+\(layer.activation.name)")
    case .activation(let activation): activation.name
    case .affine: "Affine"
    }
  }
}
