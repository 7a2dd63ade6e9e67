/// `LayerNormalization` over the last axis in the forms that tf2onnx gives it.
enum LayerNormalizationForms: RaisingRule {
  static let operators: Set = ["Reshape", "ReduceMean", "GlobalAveragePool"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard let value = raising.values[node.inputs[0]], let shape = raising.shape(node.inputs[0]), shape.rank > 1,
      let width = shape.dimensions.last?.value,
      let form = node.operatorType == "Reshape"
        ? folded(node, width, raising) : written(node, shape.rank, width, raising)
    else { return false }
    for part in form.nodes { raising.absorb(part) }
    raising.emit(
      "LayerNormalization",
      ["axis": -1, "epsilon": Raising.json([form.epsilon]), "center": true, "scale": true],
      weights: [("gamma", try form.scale.reshaped(to: [width])), ("beta", try form.offset.reshaped(to: [width]))],
      inputs: [value], as: form.output, of: node, weightName: form.scaleName)
    return true
  }

  private struct Form {
    var epsilon: Double
    var scale: Tensor
    var scaleName: String
    var offset: Tensor
    var output: String
    /// The nodes that the layer stands for, as far as rules would take them for layers of their own.
    var nodes: [Node]
  }

  /// Every row as a channel of `BatchNormalization` with the statistics of its own: rows × features × 1.
  private static func folded(_ node: Node, _ width: Int, _ raising: Raising) -> Form? {
    let rows = node.outputs[0]
    guard let shape = raising.shape(rows), shape.rank == 4, shape[0] == .known(1), shape[2] == .known(width),
      shape[3] == .known(1), let norm = raising.consumer(of: rows, ["BatchNormalization"]), norm.inputs.count == 5,
      norm.inputs[0] == rows, raising.number(norm, 1) == 1, raising.number(norm, 2) == 0,
      origin(norm.inputs[3], ["Squeeze", "ReduceMean"], raising) == rows,
      origin(norm.inputs[4], ["Div", "ReduceSumSquare", "Sub"], raising) == rows,
      let back = raising.soleConsumer(of: norm.outputs[0]), back.operatorType == "Reshape",
      let product = raising.soleConsumer(of: back.outputs[0]), product.operatorType == "Mul",
      let (scale, name) = vector(product, width, raising),
      let sum = raising.soleConsumer(of: product.outputs[0]), sum.operatorType == "Add",
      let (offset, _) = vector(sum, width, raising)
    else { return nil }
    return Form(
      epsilon: Double(norm.float("epsilon", default: 1e-5)), scale: scale, scaleName: name, offset: offset,
      output: sum.outputs[0], nodes: [norm, back, product, sum])
  }

  /// `x · s + (beta - mean · s)` with `s = gamma / sqrt(variance + epsilon)`.
  private static func written(_ node: Node, _ rank: Int, _ width: Int, _ raising: Raising) -> Form? {
    let (x, mean) = (node.inputs[0], node.outputs[0])
    guard isLastAxis(node, rank, raising), let negated = raising.consumer(of: mean, ["Neg"]),
      let centred = raising.consumer(of: mean, ["Sub"]), centred.inputs == [x, mean],
      let square = raising.soleConsumer(of: centred.outputs[0]), square.operatorType == "Mul",
      square.inputs == [centred.outputs[0], centred.outputs[0]],
      let variance = raising.soleConsumer(of: square.outputs[0]), isLastAxis(variance, rank, raising),
      let shifted = raising.soleConsumer(of: variance.outputs[0]), shifted.operatorType == "Add",
      let epsilon = raising.number(shifted, 1) ?? raising.number(shifted, 0),
      let root = raising.soleConsumer(of: shifted.outputs[0]), root.operatorType == "Sqrt",
      let inverse = raising.soleConsumer(of: root.outputs[0]), inverse.operatorType == "Reciprocal",
      let factor = raising.soleConsumer(of: inverse.outputs[0]), factor.operatorType == "Mul",
      let (scale, name) = vector(factor, width, raising)
    else { return nil }
    let products = raising.users(of: factor.outputs[0])
    guard products.count == 2, products.allSatisfy({ $0.operatorType == "Mul" }),
      let scaled = products.first(where: { $0.inputs.contains(x) }),
      let moved = products.first(where: { $0.inputs.contains(negated.outputs[0]) }),
      let rest = raising.soleConsumer(of: moved.outputs[0]), rest.operatorType == "Add",
      let (offset, _) = vector(rest, width, raising),
      let sum = raising.soleConsumer(of: scaled.outputs[0]), sum.operatorType == "Add",
      sum.inputs.contains(rest.outputs[0])
    else { return nil }
    return Form(
      epsilon: epsilon, scale: scale, scaleName: name, offset: offset, output: sum.outputs[0],
      nodes: [
        negated, centred, square, variance, shifted, root, inverse, factor, scaled, moved, rest, sum,
      ])
  }

  /// The mean over the last axis, which stays.
  private static func isLastAxis(_ node: Node, _ rank: Int, _ raising: Raising) -> Bool {
    if node.operatorType == "GlobalAveragePool" { return rank == 3 }
    let axes = node.ints("axes") ?? raising.integers(node, 1)
    return node.operatorType == "ReduceMean" && node.int("keepdims", default: 1) != 0
      && (axes == [-1] || axes == [rank - 1])
  }

  /// The first input of a chain of operators, followed from its end.
  private static func origin(_ name: String, _ operators: [String], _ raising: Raising) -> String? {
    var name = name
    for operatorType in operators {
      guard let node = raising.producer(of: name), node.operatorType == operatorType else { return nil }
      name = node.inputs[0]
    }
    return name
  }

  /// The constant with one element for each feature among a node's inputs.
  private static func vector(_ node: Node, _ width: Int, _ raising: Raising) -> (Tensor, name: String)? {
    for (index, name) in node.inputs.enumerated() {
      if let tensor = raising.constant(node, index), tensor.count == width { return (tensor, name) }
    }
    return nil
  }
}
