import OrderedCollections

/// A function of TensorFlow that tf_keras records in a Functional model as `TFOpLambda` or `SlicingOpLambda`, as the
/// operation of `keras.ops` that computes the same.
struct TensorFlowFunction: Sendable {
  /// The operation's class.
  let operation: String
  /// The function's own parameters: the first is the one that its call states by place.
  let parameters: [String]
  /// Which parameter of the operation each one is; those that are not listed are called alike.
  let names: [String: String]

  private init(_ operation: String, _ parameters: [String], _ names: [String: String] = [:]) {
    self.operation = operation
    self.parameters = parameters
    self.names = names
  }

  /// Whether a layer is a call of a function.
  static func isCall(_ layer: KerasLayer) -> Bool { ["TFOpLambda", "SlicingOpLambda"].contains(layer.className) }

  /// The function that a call names; `nil` when it cannot be run.
  static func named(_ name: String) -> TensorFlowFunction? {
    let plain = name.hasPrefix("compat.v1.") ? String(name.dropFirst("compat.v1.".count)) : name
    return table[plain] ?? table["math.\(plain)"] ?? table["nn.\(plain)"]
  }

  private static let table: [String: TensorFlowFunction] = {
    var table: [String: TensorFlowFunction] = [
      "__operators__.getitem": TensorFlowFunction("GetItem", ["x", "slice_spec"], ["slice_spec": "key"]),
      "reshape": TensorFlowFunction("Reshape", ["tensor", "shape"], ["tensor": "x", "shape": "newshape"]),
      "shape": TensorFlowFunction("Shape", ["input"], ["input": "x"]),
      "transpose": TensorFlowFunction("Transpose", ["a", "perm"], ["a": "x", "perm": "axes"]),
      "expand_dims": TensorFlowFunction("ExpandDims", ["input", "axis"], ["input": "x"]),
      "squeeze": TensorFlowFunction("Squeeze", ["input", "axis"], ["input": "x", "squeeze_dims": "axis"]),
      "concat": TensorFlowFunction("Concatenate", ["values", "axis"], ["values": "xs"]),
      "stack": TensorFlowFunction("Stack", ["values", "axis"], ["values": "x"]),
      "split": TensorFlowFunction(
        "Split", ["value", "num_or_size_splits", "axis"], ["value": "x", "num_or_size_splits": "sections"]),
      "unstack": TensorFlowFunction("Unstack", ["value", "num", "axis"], ["value": "x"]),
      "cast": TensorFlowFunction("Cast", ["x", "dtype"]),
      "identity": TensorFlowFunction("Copy", ["input"], ["input": "x"]),
      "stop_gradient": TensorFlowFunction("StopGradient", ["input"], ["input": "variable"]),
      "where": TensorFlowFunction("Where", ["condition", "x", "y"], ["x": "x1", "y": "x2"]),
      "clip_by_value": TensorFlowFunction(
        "Clip", ["t", "clip_value_min", "clip_value_max"],
        ["t": "x", "clip_value_min": "x_min", "clip_value_max": "x_max"]),
      "one_hot": TensorFlowFunction("OneHot", ["indices", "depth"], ["indices": "x", "depth": "num_classes"]),
      "gather": TensorFlowFunction("Take", ["params", "indices"], ["params": "x"]),
      "pad": TensorFlowFunction("Pad", ["tensor", "paddings"], ["tensor": "x", "paddings": "pad_width"]),
      "tile": TensorFlowFunction("Tile", ["input", "multiples"], ["input": "x", "multiples": "repeats"]),
      "broadcast_to": TensorFlowFunction("BroadcastTo", ["input", "shape"], ["input": "x"]),
      "zeros_like": TensorFlowFunction("ZerosLike", ["input"], ["input": "x", "tensor": "x"]),
      "ones_like": TensorFlowFunction("OnesLike", ["input"], ["input": "x", "tensor": "x"]),
      "linalg.matmul": TensorFlowFunction("Matmul", ["a", "b"], ["a": "x1", "b": "x2"]),
      "tensordot": TensorFlowFunction("Tensordot", ["a", "b", "axes"], ["a": "x1", "b": "x2"]),
      "math.l2_normalize": TensorFlowFunction("L2Normalize", ["x", "axis"]),
      "math.argmax": TensorFlowFunction("Argmax", ["input", "axis"], ["input": "x"]),
      "math.argmin": TensorFlowFunction("Argmin", ["input", "axis"], ["input": "x"]),
      "math.cumsum": TensorFlowFunction("Cumsum", ["x", "axis"]),
      "math.round": TensorFlowFunction("Round", ["x"]),
      "nn.bias_add": TensorFlowFunction("Add", ["value", "bias"], ["value": "x1", "bias": "x2"]),
      "nn.softmax": TensorFlowFunction("Softmax", ["logits", "axis"], ["logits": "x"]),
      "nn.log_softmax": TensorFlowFunction("LogSoftmax", ["logits", "axis"], ["logits": "x"]),
      "nn.gelu": TensorFlowFunction("Gelu", ["features", "approximate"], ["features": "x"]),
      "nn.leaky_relu": TensorFlowFunction(
        "LeakyRelu", ["features", "alpha"], ["features": "x", "alpha": "negative_slope"]),
      "keras.backend.batch_flatten": TensorFlowFunction("Flatten", ["x"]),
    ]
    let binaries = [
      "math.multiply": "Multiply", "math.add": "Add", "__operators__.add": "Add", "math.subtract": "Subtract",
      "math.truediv": "Divide", "math.divide": "Divide", "math.pow": "Power", "math.maximum": "Maximum",
      "math.minimum": "Minimum", "math.floordiv": "FloorDivide", "math.floor_div": "FloorDivide",
      "math.floormod": "Mod", "math.mod": "Mod", "math.divide_no_nan": "DivideNoNan", "math.equal": "Equal",
      "math.not_equal": "NotEqual", "math.greater": "Greater", "math.greater_equal": "GreaterEqual",
      "math.less": "Less", "math.less_equal": "LessEqual", "math.logical_and": "LogicalAnd",
      "math.logical_or": "LogicalOr", "math.logical_xor": "LogicalXor", "__operators__.eq": "Equal",
      "__operators__.ne": "NotEqual",
    ]
    for (name, operation) in binaries {
      table[name] = TensorFlowFunction(operation, ["x", "y"], ["x": "x1", "y": "x2", "self": "x1", "other": "x2"])
    }
    let unaries = [
      "abs": "Absolute", "negative": "Negative", "sqrt": "Sqrt", "rsqrt": "Rsqrt", "square": "Square", "exp": "Exp",
      "expm1": "Expm1", "log": "Log", "log1p": "Log1p", "sin": "Sin", "cos": "Cos", "tan": "Tan", "asin": "Arcsin",
      "acos": "Arccos", "atan": "Arctan", "sinh": "Sinh", "cosh": "Cosh", "asinh": "Arcsinh", "acosh": "Arccosh",
      "atanh": "Arctanh", "tanh": "Tanh", "sigmoid": "Sigmoid", "sign": "Sign", "floor": "Floor", "ceil": "Ceil",
      "reciprocal": "Reciprocal", "erf": "Erf", "softplus": "Softplus", "logical_not": "LogicalNot",
      "is_nan": "Isnan", "is_inf": "Isinf", "is_finite": "Isfinite", "log_sigmoid": "LogSigmoid",
    ]
    for (name, operation) in unaries { table["math.\(name)"] = TensorFlowFunction(operation, ["x"]) }
    let activations = [
      "relu": "Relu", "relu6": "Relu6", "sigmoid": "Sigmoid", "tanh": "Tanh", "softplus": "Softplus",
      "softsign": "Softsign", "silu": "Silu", "swish": "Silu", "elu": "Elu", "selu": "Selu",
    ]
    for (name, operation) in activations {
      table["nn.\(name)"] = TensorFlowFunction(operation, ["features"], ["features": "x", "logits": "x"])
    }
    let reductions = [
      "sum": "Sum", "mean": "Mean", "max": "Max", "min": "Min", "prod": "Prod", "any": "Any", "all": "All",
      "variance": "Var", "std": "Std", "logsumexp": "Logsumexp",
    ]
    for (name, operation) in reductions {
      table["math.reduce_\(name)"] = TensorFlowFunction(
        operation, ["input_tensor", "axis", "keepdims"], ["input_tensor": "x", "keep_dims": "keepdims"])
    }
    return table
  }()
}

/// The rule of calls of TensorFlow's functions.
enum TensorFlowFunctionRule: LayerRule {
  static let classNames = ["TFOpLambda", "SlicingOpLambda"]
  static let castsInputs = false

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let name = call.configuration.string("function") ?? ""
    if name == "math.add_n" || name == "add_n" { return [try lowering.add("Sum", call.inputs, in: call)] }
    guard let function = TensorFlowFunction.named(name) else {
      throw call.error(.unsupported, "the function \"\(name)\" of TensorFlow cannot be run")
    }
    // Several tensors by place are the one list that the function takes.
    var call = call
    let stated = call.arguments ?? KerasCall(arguments: [], keywordArguments: [:])
    let listing: Set = ["Concatenate", "Stack"]
    let first: [KerasArgument] =
      listing.contains(function.operation) ? [.list(stated.arguments)] : stated.arguments
    let settings = try settings(of: function, stated, call)
    var keywords: OrderedDictionary<String, KerasArgument> = [:]
    for (name, argument) in stated.keywordArguments where !argument.isSetting {
      keywords[function.names[name] ?? name] = argument
    }
    call = LayerCall(
      layer: call.layer.with(settings), scope: call.scope, index: call.index, inputs: call.inputs,
      arguments: KerasCall(arguments: first, keywordArguments: keywords))
    if function.operation == "Flatten" { return try FlattenRule.lower(call, &lowering) }
    if let value = try transposed(function, stated, call, &lowering) { return [value] }
    guard let operation = KerasOperation.named(function.operation) else {
      throw call.error(.unsupported, "the function \"\(name)\" of TensorFlow cannot be run")
    }
    let parameters = function.parameters.map { function.names[$0] ?? $0 }
    return try operation.lower(&lowering, OperationCall(call, parameters: parameters))
  }

  /// What the call states without tensors, as the configuration of the operation.
  private static func settings(
    of function: TensorFlowFunction, _ stated: KerasCall, _ call: LayerCall
  ) throws(FormatError) -> JSONValue {
    var settings = JSONValue.object([:])
    for (name, argument) in stated.keywordArguments {
      guard case .constant(let json) = argument, argument.isSetting, !json.isNull else { continue }
      switch (function.operation, name) {
      case ("Split", "num_or_size_splits"):
        settings = settings.setting(json.int == nil ? "sizes" : "indices_or_sections", to: json)
      case ("Take", "batch_dims"):
        guard json.int == 0 else { throw call.error(.unsupported, "it gathers in batches, which cannot be run") }
      case ("OneHot", "on_value"), ("OneHot", "off_value"), ("Cumsum", "exclusive"), ("Cumsum", "reverse"):
        guard json.bool == false else {
          throw call.error(.unsupported, "it is called with \(name)=\(json.text().prefix(40))")
        }
      case (_, "name"): continue
      default: settings = settings.setting(function.names[name] ?? name, to: json)
      }
    }
    if function.operation == "Take", settings["axis"] == nil { settings = settings.setting("axis", to: 0) }
    if ["Argmax", "Argmin", "Cumsum"].contains(function.operation), settings["axis"] == nil {
      settings = settings.setting("axis", to: 0)
    }
    if function.operation == "Gelu", settings["approximate"] == nil {
      settings = settings.setting("approximate", to: false)
    }
    return settings
  }

  /// A product of matrices that are transposed first.
  private static func transposed(
    _ function: TensorFlowFunction, _ stated: KerasCall, _ call: LayerCall, _ lowering: inout Lowering
  ) throws(FormatError) -> LoweredValue? {
    guard function.operation == "Matmul" else { return nil }
    func isSet(_ name: String) -> Bool { call.configuration[name]?.bool == true }
    for name in ["adjoint_a", "adjoint_b", "a_is_sparse", "b_is_sparse"] where isSet(name) {
      throw call.error(.unsupported, "it is called with \(name), which cannot be run")
    }
    guard isSet("transpose_a") || isSet("transpose_b") else { return nil }
    let operation = try OperationCall(call, parameters: ["x1", "x2"])
    var pair = try lowering.promoted(["x1", "x2"], of: operation)
    for (index, name) in ["transpose_a", "transpose_b"].enumerated() where isSet(name) {
      guard let rank = pair[index].rank, rank >= 2 else { throw call.error(.mismatch, "an operand is no matrix") }
      var order = Array(0..<rank)
      order.swapAt(rank - 1, rank - 2)
      pair[index] = try lowering.transpose(pair[index], order, in: call)
    }
    return try lowering.add("MatMul", pair, in: call)
  }
}

extension KerasArgument {
  /// Whether the argument holds no tensor.
  fileprivate var isSetting: Bool { if case .constant = self { true } else { false } }
}

extension KerasLayer {
  /// The layer with another configuration.
  fileprivate func with(_ json: JSONValue) -> KerasLayer {
    var layer = self
    layer.configuration = LayerConfiguration(
      json: json, generation: configuration.generation, label: configuration.label)
    return layer
  }
}
