import OrderedCollections

/// Operators that no layer computes, as operations of `keras.ops` in a Functional model of Keras 3.
enum OperationRaising: RaisingRule {
  /// Operators whose operands are broadcast, by Keras's names.
  private static let elementwise = [
    "Abs": "Absolute", "Neg": "Negative", "Sqrt": "Sqrt", "Exp": "Exp", "Log": "Log", "Sin": "Sin", "Cos": "Cos",
    "Tan": "Tan", "Sinh": "Sinh", "Cosh": "Cosh", "Asin": "Arcsin", "Acos": "Arccos", "Atan": "Arctan",
    "Asinh": "Arcsinh", "Acosh": "Arccosh", "Atanh": "Arctanh", "Floor": "Floor", "Ceil": "Ceil", "Sign": "Sign",
    "Reciprocal": "Reciprocal", "Not": "LogicalNot", "Erf": "Erf", "Add": "Add", "Sub": "Subtract", "Mul": "Multiply",
    "Div": "TrueDivide", "Pow": "Power", "Max": "Maximum", "Min": "Minimum", "Greater": "Greater",
    "GreaterOrEqual": "GreaterEqual", "Less": "Less", "LessOrEqual": "LessEqual", "Equal": "Equal", "And": "LogicalAnd",
    "Or": "LogicalOr", "Xor": "LogicalXor", "Where": "Where",
  ]
  private static let reductions = [
    "ReduceMean": "Mean", "ReduceSum": "Sum", "ReduceMax": "Max", "ReduceMin": "Min", "ReduceProd": "Prod",
    "GlobalAveragePool": "Mean", "GlobalMaxPool": "Max",
  ]
  static let operators = Set(elementwise.keys).union(reductions.keys).union([
    "Cast", "ArgMax", "ArgMin", "Slice", "Split", "Gather", "MatMul", "Gelu", "Celu", "LogSoftmax", "Mod", "Tile",
  ])

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard raising.generation >= 3 else { return false }
    if let name = elementwise[node.operatorType] { return try combine(node, name, &raising) }
    if node.operatorType == "Mod" {
      return try combine(node, node.int("fmod", default: 0) == 0 ? "Mod" : "Fmod", &raising)
    }
    guard let input = node.inputs.first, let value = raising.values[input], let rank = raising.shape(input)?.rank,
      !value.isCollapsed || ["Cast", "Gelu", "Celu"].contains(node.operatorType)
    else { return false }
    if let name = reductions[node.operatorType] { return reduce(node, name, rank: rank, value, &raising) }
    switch node.operatorType {
    case "Cast":
      guard let type = node.elementType("to", default: .float32), type.bitWidth ?? 0 >= 8 else {
        return false
      }
      raising.emitOperation("Cast", "core", ["dtype": .string(type.name)], [value], as: node.outputs[0], of: node)
    case "Gelu" where node.text("approximate", default: "none") == "tanh":
      raising.emitOperation("Gelu", "nn", ["approximate": true], [value], as: node.outputs[0], of: node)
    case "Celu":
      let alpha = Raising.json([Double(node.float("alpha", default: 1))])
      raising.emitOperation("Celu", "nn", ["alpha": alpha], [value], as: node.outputs[0], of: node)
    case "LogSoftmax":
      let axis = node.int("axis", default: -1)
      guard (axis < 0 ? axis + rank : axis) > 0, raising.model.operatorSetVersion() ?? 0 >= 13 else { return false }
      raising.emitOperation("LogSoftmax", "nn", ["axis": .int(axis)], [value], as: node.outputs[0], of: node)
    case "ArgMax", "ArgMin":
      let axis = node.int("axis", default: 0)
      guard (axis < 0 ? axis + rank : axis) > 0, node.int("select_last_index", default: 0) == 0 else { return false }
      raising.emitOperation(
        node.operatorType == "ArgMax" ? "Argmax" : "Argmin", "numpy",
        ["axis": .int(axis), "keepdims": .bool(node.int("keepdims", default: 1) != 0)], [value], as: node.outputs[0],
        of: node)
    case "Tile":
      guard let repeats = raising.integers(node, 1), repeats.count == rank,
        repeats.first == 1
      else { return false }
      raising.emitOperation(
        "Tile", "numpy", ["repeats": .array(repeats.map { .int($0) })], [value], as: node.outputs[0], of: node)
    case "MatMul":
      guard let other = raising.values[node.inputs[1]], !other.isCollapsed, rank > 2,
        raising.shape(node.inputs[1])?.rank == rank
      else { return false }
      raising.emitOperation("Matmul", "numpy", [:], [value, other], as: node.outputs[0], of: node)
    default: return try OperationIndexing.raise(node, value, rank: rank, &raising)
    }
    return true
  }

  /// An operation over values, numbers and small arrays of one broadcast shape.
  private static func combine(_ node: Node, _ name: String, _ raising: inout Raising) throws(FormatError) -> Bool {
    let values = node.inputs.compactMap { raising.values[$0] }
    guard !values.isEmpty, Set(values.map(\.isCollapsed)).count == 1, node.inputs.count <= 3,
      !["Max", "Min"].contains(node.operatorType) || node.inputs.count == 2,
      let rank = raising.shape(node.outputs[0])?.rank,
      node.inputs.contains(where: { raising.isValue($0) && raising.shape($0)?.rank == rank })
    else { return false }
    if node.operatorType == "Div", !raising.elementType(node.outputs[0]).isFloatingPoint { return false }
    var inputs: [RaisedValue] = []
    var arguments: [RaisedOperation.Argument] = []
    for (index, input) in node.inputs.enumerated() {
      if let value = raising.values[input] {
        arguments.append(.input(inputs.count))
        inputs.append(value)
      } else {
        guard let tensor = raising.constant(node, index) ?? raising.filling(named: input),
          tensor.shape.count < rank || tensor.shape.first == 1 || tensor.shape.isEmpty,
          let json = raising.argument(tensor)
        else { return false }
        arguments.append(.constant(json))
      }
    }
    raising.emitOperation(
      name, node.operatorType == "Erf" ? "math" : "numpy", [:], inputs, arguments, as: node.outputs[0], of: node)
    return true
  }

  private static func reduce(
    _ node: Node, _ name: String, rank: Int, _ value: RaisedValue, _ raising: inout Raising
  ) -> Bool {
    let isPooling = node.operatorType.hasPrefix("Global")
    let stated = node.ints("axes") ?? raising.integers(node, 1)
    let axes = isPooling ? Array(2..<max(rank, 2)) : (stated ?? []).map { $0 < 0 ? $0 + rank : $0 }.sorted()
    guard let first = axes.first, first > 0 else { return false }
    raising.emitOperation(
      name, "numpy",
      [
        "axis": axes.count == 1 ? .int(first) : .array(axes.map { .int($0) }),
        "keepdims": .bool(isPooling || node.int("keepdims", default: 1) != 0),
      ], [value], as: node.outputs[0], of: node)
    return true
  }
}

extension Raising {
  /// Adds an operation of `keras.ops` that computes `output`.
  ///
  /// - Parameters:
  ///   - module: the last part of the operation's module.
  ///   - arguments: its positional arguments; the inputs in order when there are none.
  mutating func emitOperation(
    _ className: String, _ module: String, _ configuration: OrderedDictionary<String, JSONValue>,
    _ inputs: [RaisedValue], _ arguments: [RaisedOperation.Argument]? = nil, as output: String, of node: Node
  ) {
    emit(className, configuration, inputs: inputs, as: output, of: node)
    layers[layers.count - 1].operation = RaisedOperation(
      module: "keras.src.ops.\(module)", arguments: arguments ?? inputs.indices.map { .input($0) })
    layers[layers.count - 1].elementType = elementType(output)
  }

  /// A constant as Keras writes it among the arguments of an operation; `nil` for one that is large, not finite,
  /// or beyond 63 bits.
  func argument(_ tensor: Tensor) -> JSONValue? {
    guard tensor.count <= 4096, let numbers = try? tensor.doubles(), numbers.allSatisfy(\.isFinite) else { return nil }
    let integers = tensor.elementType.isInteger ? try? tensor.integers() : []
    guard let integers else { return nil }
    let elements = numbers.enumerated().map { index, number -> JSONValue in
      if tensor.elementType == .bool { return .bool(number != 0) }
      if tensor.elementType == .float64 { return .number("\(number)") }
      return tensor.elementType.isInteger ? .int(integers[index]) : Self.json([number])
    }
    if elements.count == 1 { return elements[0] }
    return [
      "class_name": "__numpy__",
      "config": ["value": Self.nested(elements[...], tensor.shape[...]), "dtype": .string(tensor.elementType.name)],
    ]
  }

  private static func nested(_ elements: ArraySlice<JSONValue>, _ shape: ArraySlice<Int>) -> JSONValue {
    guard shape.count > 1, let extent = shape.first, extent > 0 else { return .array(Array(elements)) }
    let width = elements.count / extent
    return .array(
      (0..<extent).map { index in
        let start = elements.startIndex + index * width
        return nested(elements[start..<start + width], shape.dropFirst())
      })
  }
}
