/// Activation functions and the other nonlinearities.
extension OperatorSchema {
  static let activations: [OperatorSchema] =
    [
      ("Relu", []), ("LeakyRelu", [.float("alpha")]), ("Elu", [.float("alpha")]),
      ("Selu", [.float("alpha"), .float("gamma")]), ("Sigmoid", []), ("Tanh", []),
      ("HardSigmoid", [.float("alpha"), .float("beta")]),
    ].flatMap { (name: String, attributes: [AttributeRule]) in
      [unary(name, since: 1, attributes + [.consumedInputs]), unary(name, since: 6, attributes)]
    }
    + ["Softmax", "LogSoftmax", "Hardmax"].flatMap { name in
      [
        unary(name, since: 1, [.int("axis")], infer: InferenceRules.sameAlongAxis(default: 1)),
        unary(name, since: 11, [.int("axis")], infer: InferenceRules.sameAlongAxis(default: 1)),
        unary(name, since: 13, [.int("axis")], infer: InferenceRules.sameAlongAxis(default: -1)),
      ]
    }
    + [
      unary("Softplus", since: 1),
      unary("Softsign", since: 1),
      unary("Gelu", since: 20, [.text("approximate")]),
      unary("ThresholdedRelu", since: 10, [.float("alpha")]),
      unary("Celu", since: 12, [.float("alpha")]),
      unary("Mish", since: 18),
      unary("HardSwish", since: 14),
      unary("Swish", since: 24, [.float("alpha")]),
      binary("SwiGLU", since: 28, [.float("alpha")], infer: InferenceRules.identicalInputs),
      unary("Shrink", since: 9, [.float("bias"), .float("lambd")]),
      binary("PRelu", since: 1, [.consumedInputs], infer: InferenceRules.legacyBroadcast),
      binary("PRelu", since: 6, infer: InferenceRules.legacyBroadcast),
      binary("PRelu", since: 7, infer: InferenceRules.broadcastToFirst),
      unary("Clip", since: 1, [.float("min"), .float("max"), .consumedInputs]),
      unary("Clip", since: 6, [.float("min"), .float("max")]),
      OperatorSchema("Clip", since: 11, inputs: 1...3, infer: InferenceRules.sameAsInputOfOneType),
    ]
}
