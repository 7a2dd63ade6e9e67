import NNFormat

/// Functions of one value: activations and elementary functions.
package enum ActivationOperators {
  package static let rows: [OperatorImplementation] = [
    real("LeakyRelu") { .leakyRelu(slope: $0.float("alpha", default: 0.01)) },
    real("Elu") { .elu(alpha: $0.float("alpha", default: 1)) },
    real("Selu") {
      .selu(alpha: $0.float("alpha", default: 1.673_263_2), gamma: $0.float("gamma", default: 1.050_701))
    },
    real("Celu") { .celu(alpha: $0.float("alpha", default: 1)) },
    real("Sigmoid") { _ in .sigmoid },
    real("HardSigmoid") {
      .hardSigmoid(alpha: $0.float("alpha", default: 0.2), beta: $0.float("beta", default: 0.5))
    },
    real("Tanh") { _ in .tanh },
    real("Softplus") { _ in .softplus },
    real("Softsign") { _ in .softsign },
    real("Gelu", since: 20) { $0.node.text("approximate", default: "none") == "tanh" ? .geluTanh : .gelu },
    real("ThresholdedRelu") { .thresholdedRelu(alpha: $0.float("alpha", default: 1)) },
    real("Mish", since: 18) { _ in .mish },
    real("HardSwish", since: 14) { _ in .hardSwish },
    real("Exp") { _ in .exp },
    real("Log") { _ in .log },
    real("Sqrt") { _ in .sqrt },
    real("Reciprocal") { _ in .reciprocal },
    real("Erf") { _ in .erf },
    real("Swish", since: 24) { gate($0) },
    OperatorImplementation("Relu", make: relu),
    OperatorImplementation("Abs", make: absolute),
    OperatorImplementation("Neg", make: negate),
    OperatorImplementation("Sign", make: sign),
  ]

  private static func real(
    _ name: String, since version: Int = 1, _ activation: @escaping @Sendable (NodeContext) -> Activation
  ) -> OperatorImplementation {
    OperatorImplementation(name, since: version) { context throws(EngineError) in
      try step(activation(context), context)
    }
  }

  /// The step of an activation in the type of input 0.
  package static func step(_ activation: Activation, _ context: NodeContext) throws(EngineError) -> any Step {
    switch try context.type(0) {
    case .float32: ActivationStep(activation)
    case .float64: UnaryStep(activation.name, Double.self, Double.self) { activation.scalar($0) }
    case let type: throw context.unsupported(type)
    }
  }

  /// The function of Swish and SwiGLU.
  package static func gate(_ context: NodeContext) -> Activation {
    let alpha = context.float("alpha", default: 1)
    return alpha == 1 ? .silu : .swish(alpha: alpha)
  }

  @Sendable private static func relu(_ context: NodeContext) throws(EngineError) -> any Step {
    let type = try context.type(0)
    if let step = ScalarTypes.signedInteger(type, RectifierMaker()) { return step }
    return try step(.relu, context)
  }

  @Sendable private static func absolute(_ context: NodeContext) throws(EngineError) -> any Step {
    let type = try context.type(0)
    if let step = ScalarTypes.integer(type, MagnitudeMaker()) { return step }
    return try step(.abs, context)
  }

  @Sendable private static func negate(_ context: NodeContext) throws(EngineError) -> any Step {
    let type = try context.type(0)
    if let step = ScalarTypes.signedInteger(type, NegationMaker()) { return step }
    return try step(.negate, context)
  }

  @Sendable private static func sign(_ context: NodeContext) throws(EngineError) -> any Step {
    switch try context.type(0) {
    case .float32: return UnaryStep("sign", Float.self, Float.self) { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 }
    case .float64: return UnaryStep("sign", Double.self, Double.self) { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 }
    case let type:
      if let step = ScalarTypes.integer(type, SignMaker()) { return step }
      throw context.unsupported(type)
    }
  }
}

private struct RectifierMaker: IntegerVisitor {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    UnaryStep("relu", T.self, T.self) { Swift.max($0, 0) }
  }
}

private struct MagnitudeMaker: IntegerVisitor {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    UnaryStep("abs", T.self, T.self) { $0 < 0 ? 0 &- $0 : $0 }
  }
}

private struct NegationMaker: IntegerVisitor {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    UnaryStep("negate", T.self, T.self) { 0 &- $0 }
  }
}

private struct SignMaker: IntegerVisitor {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    UnaryStep("sign", T.self, T.self) { $0.signum() }
  }
}
