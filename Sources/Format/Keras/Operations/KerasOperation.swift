/// An operation of `keras.ops` that a Functional model records when tensors are combined without a layer: `x * 2 + 1`,
/// `keras.ops.mean(x, axis=1)`, `x[:, 0]`.
struct KerasOperation: Sendable {
  typealias Lower = @Sendable (inout Lowering, OperationCall) throws(FormatError) -> [LoweredValue]

  /// The class names that Keras gives the operation in configurations.
  let names: [String]
  /// The parameters of a call in order. All others are in the configuration.
  let parameters: [String]
  /// Emits the operators of one call.
  let lower: Lower

  init(_ names: String..., parameters: [String] = ["x"], lower: @escaping Lower) {
    self.names = names
    self.parameters = parameters
    self.lower = lower
  }

  private static let byName: [String: KerasOperation] = {
    let families = [
      arithmetic, functions, comparisons, choices, activations, reductions, extremes, shapes, joins, fillings, indexing,
      ordering, products, normalizations,
    ]
    var table: [String: KerasOperation] = [:]
    for operation in families.joined() { for name in operation.names { table[name] = operation } }
    return table
  }()

  /// The operation of a class name; `nil` when it cannot be run.
  static func named(_ className: String) -> KerasOperation? { byName[className] }

  /// The module in which Keras defines an operation.
  static func module(of className: String) -> String {
    "keras.src.ops." + (modules.first { $0.names.contains(className) }?.module ?? "numpy")
  }

  /// The operations that stand outside of `keras.ops.numpy`.
  private static let modules: [(module: String, names: Set<String>)] = [
    (
      "nn",
      [
        "Celu", "Elu", "Gelu", "Glu", "HardShrink", "HardSigmoid", "HardSilu", "HardTanh", "LayerNorm", "LeakyRelu",
        "LogSigmoid", "LogSoftmax", "Moments", "MultiHot", "Normalize", "OneHot", "RMSNorm", "Relu", "Relu6", "Selu",
        "Sigmoid", "Silu", "SoftShrink", "Softmax", "Softplus", "Softsign", "SparsePlus", "SparseSigmoid", "Sparsemax",
        "Squareplus", "TanhShrink", "Threshold",
      ]
    ),
    ("core", ["Cast", "Slice", "StopGradient", "Unstack"]), ("math", ["Erf", "Logsumexp", "Rsqrt", "TopK"]),
    ("linalg", ["Norm"]),
  ]

  /// The class names of all operations that can be run.
  static var classNames: [String] { byName.keys.sorted() }
}

/// The rule of all operations. They have no variables, and no policy casts what they are given.
enum OperationRule: LayerRule {
  static var classNames: [String] { KerasOperation.classNames }
  static let castsInputs = false

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    guard let operation = KerasOperation.named(call.layer.className) else {
      throw call.error(.unsupported, "the operation cannot be run")
    }
    return try operation.lower(&lowering, OperationCall(call, parameters: operation.parameters))
  }
}
