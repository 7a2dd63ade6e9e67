/// scikit-learn's scalers and linear models as Rescaling and Dense layers.
enum LinearModelRaising: RaisingRule {
  static let operators: Set = ["Scaler", "LinearRegressor", "LinearClassifier", "Normalizer"]
  /// The domain of the operators.
  static let domain = "ai.onnx.ml"

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard raising.elementType(node.inputs.first ?? "").isFloatingPoint else { return false }
    switch node.operatorType {
    case "Scaler": return try scaler(node, &raising)
    case "LinearRegressor": return try dense(node, rows: node.int("targets", default: 1), output: 0, &raising)
    case "LinearClassifier": return try classifier(node, &raising)
    default: return normalizer(node, &raising)
    }
  }

  /// `(x - offset) · scale`, in this order, as it keeps the digits of numbers far from 0.
  private static func scaler(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    let (offset, scale) = (numbers(node, "offset") ?? [0], numbers(node, "scale") ?? [1])
    guard node.inputs.count == 1, let width = raising.shape(node.inputs[0])?.dimensions.last?.value,
      [1, width].contains(offset.count), [1, width].contains(scale.count)
    else { return false }
    let value = try raising.value(node, 0)
    let centred = node.outputs[0] + "/centred"
    raising.rescale(value, uses: 2, offset: offset.map { -$0 }, as: centred, of: node)
    raising.rescale(raising.values[centred] ?? value, uses: 2, scale: scale, as: node.outputs[0], of: node)
    return true
  }

  private static func classifier(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    let labels = node.ints("classlabels_ints")?.count ?? strings(node, "classlabels_strings")
    guard let labels, labels > 1, node.outputs.count == 2 else { return false }
    return try dense(node, rows: labels, output: 1, &raising)
  }

  /// `coefficients · x + intercepts`, one row of coefficients for each output.
  private static func dense(
    _ node: Node, rows: Int, output: Int, _ raising: inout Raising
  ) throws(FormatError) -> Bool {
    let activations = ["NONE": "linear", "SOFTMAX": "softmax", "LOGISTIC": "sigmoid"]
    guard let activation = activations[node.text("post_transform", default: "NONE")],
      case .floats(let coefficients) = node.attribute("coefficients"), rows > 0, !coefficients.isEmpty,
      coefficients.count.isMultiple(of: rows)
    else { return false }
    let kernel = try Tensor(coefficients, shape: [rows, coefficients.count / rows]).transposed([1, 0])
    var weights = [(name: "kernel", tensor: kernel)]
    if case .floats(let intercepts) = node.attribute("intercepts") {
      guard intercepts.count == rows else { return false }
      weights.append(("bias", Tensor(intercepts)))
    }
    raising.emit(
      "Dense",
      ["units": .int(rows), "activation": .string(activation), "use_bias": .bool(weights.count == 2)],
      weights: weights, inputs: [try raising.value(node, 0)], as: node.outputs[output], of: node)
    return true
  }

  /// Dividing by the sum changes nothing where a softmax came out.
  private static func normalizer(_ node: Node, _ raising: inout Raising) -> Bool {
    guard node.text("norm", default: "MAX") == "L1", let producer = raising.producer(of: node.inputs[0]),
      producer.operatorType == "LinearClassifier", producer.text("post_transform", default: "NONE") == "SOFTMAX"
    else { return false }
    raising.values[node.outputs[0]] = raising.values[node.inputs[0]]
    return true
  }

  private static func numbers(_ node: Node, _ name: String) -> [Double]? {
    guard case .floats(let values) = node.attribute(name), !values.isEmpty else { return nil }
    return values.map(Double.init)
  }

  private static func strings(_ node: Node, _ name: String) -> Int? {
    guard case .strings(let values) = node.attribute(name) else { return nil }
    return values.count
  }
}
