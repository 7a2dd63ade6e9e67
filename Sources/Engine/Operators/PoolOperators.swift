import NNFormat

/// The largest, the mean or the norm of the elements under a moving window.
package enum PoolOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("MaxPool") { context throws(EngineError) in
      let maker = MaxPoolMaker(node: context.node, isColumnMajor: context.int("storage_order", default: 0) != 0)
      return try ScalarTypes.numeric(context.type(0), maker, context)
    },
    OperatorImplementation("AveragePool") { context throws(EngineError) in
      try real(context, .mean(includesPads: context.int("count_include_pad", default: 0) != 0))
    },
    OperatorImplementation("LpPool") { context throws(EngineError) in
      let power = context.version < 2 ? Double(context.float("p", default: 2)) : Double(context.int("p", default: 2))
      return try real(context, .norm(power: power))
    },
  ]

  private static func real(_ context: NodeContext, _ kind: PoolKind) throws(EngineError) -> any Step {
    let type = try context.type(0)
    guard let step = ScalarTypes.real(type, PoolMaker(node: context.node, kind: kind)) else {
      throw context.unsupported(type)
    }
    return step
  }
}

/// What is made of the elements under a window.
enum PoolKind: Sendable {
  /// Their sum over their number, or over that of all places of the window that are not beyond the padding.
  case mean(includesPads: Bool)
  /// The root of the sum of their magnitudes' powers.
  case norm(power: Double)
}

private struct MaxPoolMaker: ArithmeticOperators.StepMaker {
  let node: Node
  let isColumnMajor: Bool

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    MaxPoolStep<T>(node: node, isColumnMajor: isColumnMajor, lowest: .min) { $0 > $1 }
  }
  /// A NaN, once met, stays.
  func visit<T: RealScalar>(_: T.Type) -> any Step {
    MaxPoolStep<T>(node: node, isColumnMajor: isColumnMajor, lowest: -.infinity) { $0 > $1 || ($0.isNaN && !$1.isNaN) }
  }
}

private struct PoolMaker: RealVisitor {
  let node: Node
  let kind: PoolKind
  func visit<T: RealScalar>(_: T.Type) -> any Step { PoolStep<T>(node: node, kind: kind) }
}
