import OrderedCollections

/// The choice between two values by a condition: `Where`, or what tf2onnx writes for it,
/// `Cast(c) · a + b · Cast(Not(c))`.
struct Selection {
  /// The node that computes the condition.
  let condition: Node
  let whenTrue: String
  let whenFalse: String

  init?(_ node: Node, _ raising: Raising) {
    if node.operatorType == "Where", node.inputs.count == 3, let condition = raising.producer(of: node.inputs[0]) {
      (self.condition, whenTrue, whenFalse) = (condition, node.inputs[1], node.inputs[2])
      return
    }
    guard node.operatorType == "Add", node.inputs.count == 2,
      let left = Self.gated(node.inputs[0], raising), let right = Self.gated(node.inputs[1], raising)
    else { return nil }
    let (positive, negative) = left.condition.operatorType == "Not" ? (right, left) : (left, right)
    guard negative.condition.operatorType == "Not", let inner = raising.producer(of: negative.condition.inputs[0]),
      inner.outputs == positive.condition.outputs
    else { return nil }
    (condition, whenTrue, whenFalse) = (inner, positive.value, negative.value)
  }

  /// A value times a condition that is cast to a number.
  private static func gated(_ name: String, _ raising: Raising) -> (condition: Node, value: String)? {
    guard let product = raising.producer(of: name), product.operatorType == "Mul", product.inputs.count == 2 else {
      return nil
    }
    for (place, input) in product.inputs.enumerated() {
      guard let cast = raising.producer(of: input), cast.operatorType == "Cast",
        raising.elementType(cast.inputs[0]) == .bool, let condition = raising.producer(of: cast.inputs[0])
      else { continue }
      return (condition, product.inputs[1 - place])
    }
    return nil
  }

  /// The value and the number that the condition compares, `value > number`.
  func threshold(_ operators: Set<String>, _ raising: Raising) -> (value: String, number: Double)? {
    guard operators.contains(condition.operatorType), condition.inputs.count == 2,
      let limit = raising.number(condition, 1)
    else { return nil }
    return (condition.inputs[0], limit)
  }
}

/// Choices that are layers: `ReLU` with a threshold, `ELU` written out.
enum SelectionRaising: RaisingRule {
  static let operators: Set = ["Where", "Add"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard let selection = Selection(node, raising), !raising.isConstant(selection.whenTrue) else { return false }
    if try raiseELU(node, selection, &raising) { return true }
    if selection.condition.operatorType == "Cast" || selection.condition.operatorType == "Not" { return false }
    return try raiseReLU(node, selection, &raising)
  }

  /// `x > 0 ? elu(x) : alpha · elu(x)`.
  private static func raiseELU(
    _ node: Node, _ selection: Selection, _ raising: inout Raising
  ) throws(FormatError) -> Bool {
    guard let (x, limit) = selection.threshold(["Greater", "GreaterOrEqual"], raising), limit == 0,
      let function = raising.producer(of: selection.whenTrue), function.operatorType == "Elu", function.inputs[0] == x,
      function.float("alpha", default: 1) == 1,
      let scaled = raising.producer(of: selection.whenFalse), scaled.operatorType == "Mul",
      scaled.inputs.contains(function.outputs[0]),
      let alpha = raising.number(scaled, 0) ?? raising.number(scaled, 1), let value = raising.values[x]
    else { return false }
    raising.emit("ELU", ["alpha": Raising.json([alpha])], inputs: [value], as: node.outputs[0], of: node)
    return true
  }

  /// `x > threshold ? min(x, maximum) : slope · (x - threshold)`.
  private static func raiseReLU(
    _ node: Node, _ selection: Selection, _ raising: inout Raising
  ) throws(FormatError) -> Bool {
    guard let (x, threshold) = selection.threshold(["Greater"], raising), threshold.isFinite,
      let value = raising.values[x]
    else { return false }
    var configuration: OrderedDictionary<String, JSONValue> = [:]
    if selection.whenTrue != x {
      guard let clip = raising.producer(of: selection.whenTrue), clip.operatorType == "Clip", clip.inputs[0] == x,
        raising.number(clip, 1).map({ $0 <= max(threshold, 0) }) ?? true, let maximum = raising.number(clip, 2)
      else { return false }
      configuration["max_value"] = Raising.json([maximum])
    }
    guard let slope = slope(selection.whenFalse, x, threshold, raising) else { return false }
    configuration["negative_slope"] = Raising.json([slope])
    configuration["threshold"] = Raising.json([threshold])
    raising.emit("ReLU", configuration, inputs: [value], as: node.outputs[0], of: node)
    return true
  }

  private static func slope(_ name: String, _ x: String, _ threshold: Double, _ raising: Raising) -> Double? {
    if let number = raising.number(named: name) { return number == 0 ? 0 : nil }
    guard let product = raising.producer(of: name), product.operatorType == "Mul",
      let place = product.inputs.firstIndex(where: { raising.number(named: $0) == nil }),
      let slope = raising.number(product, 1 - place), let difference = raising.producer(of: product.inputs[place]),
      difference.operatorType == "Sub", difference.inputs.first == x, raising.number(difference, 1) == threshold
    else { return nil }
    return slope
  }
}

extension Raising {
  /// The single number that an input of a node repeats.
  func number(_ node: Node, _ index: Int) -> Double? {
    node.inputs.indices.contains(index) ? number(named: node.inputs[index]) : nil
  }

  /// The single number that a constant of a name repeats.
  func number(named name: String) -> Double? {
    guard let tensor = constants[name] ?? filling(named: name), tensor.count == 1 else { return nil }
    return try? tensor.doubles().first
  }

  /// Whether a name is that of a constant.
  func isConstant(_ name: String) -> Bool { constants[name] != nil || filling(named: name) != nil }
}
