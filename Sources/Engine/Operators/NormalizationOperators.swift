import NNFormat

/// Normalisations.
package enum NormalizationOperators {
  package static let rows: [OperatorImplementation] = [
    real("BatchNormalization") { context throws(EngineError) in
      BatchMaker(options: try BatchNormalizationOptions(context))
    },
    // Below its first version of the standard, runtimes' optimizers write the operator all the same.
    real("LayerNormalization") { context throws(EngineError) in RowMaker(context, isCentred: true) },
    real("RMSNormalization", since: 23) { context throws(EngineError) in RowMaker(context, isCentred: false) },
    real("InstanceNormalization") { context throws(EngineError) in
      GroupMaker(groups: nil, hasParametersOfGroups: false, epsilon: context.float("epsilon", default: 1e-5))
    },
    real("GroupNormalization", since: 18) { context throws(EngineError) in
      let groups = context.int("num_groups", default: 0)
      guard groups > 0 else { throw context.invalid("num_groups is \(groups)") }
      return GroupMaker(
        groups: groups, hasParametersOfGroups: context.version < 21, epsilon: context.float("epsilon", default: 1e-5))
    },
    real("LpNormalization") { context throws(EngineError) in
      let order = context.int("p", default: 2)
      guard order == 1 || order == 2 else { throw context.invalid("p is \(order); the orders are 1 and 2") }
      return LpMaker(axis: context.int("axis", default: -1), order: order)
    },
    real("MeanVarianceNormalization") { context throws(EngineError) in
      MeanVarianceMaker(axes: context.node.ints("axes") ?? [0, 2, 3])
    },
  ]

  private static func real<V: RealVisitor & Sendable>(
    _ name: String, since version: Int = 1, _ visitor: @escaping @Sendable (NodeContext) throws(EngineError) -> V
  ) -> OperatorImplementation where V.Result == any Step {
    OperatorImplementation(name, since: version) { context throws(EngineError) in
      let type = try context.commonType()
      guard let step = ScalarTypes.real(type, try visitor(context)) else { throw context.unsupported(type) }
      return step
    }
  }
}

private struct BatchMaker: RealVisitor {
  let options: BatchNormalizationOptions
  func visit<T: RealScalar>(_: T.Type) -> any Step { BatchNormalizationStep<T>(options: options) }
}

struct RowMaker: RealVisitor {
  let normalization: RowNormalization
  let axis: Int
  var givesMean = true

  init(_ context: NodeContext, isCentred: Bool, givesMean: Bool = true) {
    normalization = RowNormalization(isCentred: isCentred, epsilon: context.float("epsilon", default: 1e-5))
    axis = context.int("axis", default: -1)
    self.givesMean = givesMean
  }

  func visit<T: RealScalar>(_: T.Type) -> any Step {
    RowNormalizationStep<T>(normalization: normalization, axis: axis, givesMean: givesMean)
  }
}

private struct GroupMaker: RealVisitor {
  let groups: Int?
  let hasParametersOfGroups: Bool
  let epsilon: Float

  func visit<T: RealScalar>(_: T.Type) -> any Step {
    GroupNormalizationStep<T>(groups: groups, hasParametersOfGroups: hasParametersOfGroups, epsilon: epsilon)
  }
}

private struct LpMaker: RealVisitor {
  let axis: Int
  let order: Int
  func visit<T: RealScalar>(_: T.Type) -> any Step { LpNormalizationStep<T>(axis: axis, order: order) }
}

private struct MeanVarianceMaker: RealVisitor {
  let axes: [Int]
  func visit<T: RealScalar>(_: T.Type) -> any Step { MeanVarianceNormalizationStep<T>(axes: axes) }
}
