import NNFormat

/// A graph on its way to a plan: values are numbers, nodes are in execution order, and rules may rewrite it.
package struct Draft {
  package struct ValueInfo {
    package var name: String
    package var elementType: ElementType?
    package var constant: Constant?
  }

  package var values: [ValueInfo] = []
  /// Values that come of bodies of functions and of branches.
  package var unfoldedCount = 0
  /// Bytes of the constants that the model itself holds, and of those that were computed from them.
  package var givenByteCount = 0
  package var foldedByteCount = 0
  package var nodes: [DraftNode] = []
  package var inputs: [Int] = []
  package var outputs: [Int] = []
  /// Inputs that are no tensors, by value; nodes do not compute with them.
  package var otherInputs: [Int: Value] = [:]
  /// Outputs that are such inputs.
  package var passed: [PassedValue] = []

  package mutating func addValue(
    _ name: String, type: ElementType? = nil, constant: Constant? = nil
  ) -> Int {
    values.append(ValueInfo(name: name, elementType: constant?.elementType ?? type, constant: constant))
    return values.count - 1
  }

  package func constant(_ value: Int?) -> Constant? { value.flatMap { values[$0].constant } }

  /// For each value, the nodes that read it; a node that reads it twice is listed twice.
  package func consumers() -> [[Int]] {
    var result = [[Int]](repeating: [], count: values.count)
    for (index, node) in nodes.enumerated() {
      for case let input? in node.inputs { result[input].append(index) }
    }
    return result
  }

  /// Lets every reader of `old` read `new` instead, the outputs of the graph included.
  package mutating func replace(_ old: Int, by new: Int) {
    for index in nodes.indices {
      for (position, input) in nodes[index].inputs.enumerated() where input == old {
        nodes[index].inputs[position] = new
      }
    }
    for (position, output) in outputs.enumerated() where output == old { outputs[position] = new }
  }

  /// Removes nodes whose outputs nobody reads.
  package mutating func removeDeadNodes() {
    var isNeeded = [Bool](repeating: false, count: values.count)
    for output in outputs { isNeeded[output] = true }
    var kept: [DraftNode] = []
    for node in nodes.reversed() where node.outputs.contains(where: { $0.map { isNeeded[$0] } ?? false }) {
      for case let input? in node.inputs { isNeeded[input] = true }
      kept.append(node)
    }
    nodes = kept.reversed()
  }
}

/// One operation of a draft.
package struct DraftNode {
  /// The node of the model that it came from, for its attributes and for messages.
  package var origin: Node
  /// The version of the operator set of `origin`.
  package var version: Int
  package var operation: Operation
  package var inputs: [Int?]
  package var outputs: [Int?]

  /// What a draft node computes.
  package enum Operation {
    /// What the operator of `origin` says.
    case standard
    /// One of two branches, whose names stand for what they did around the node. Folding writes the branch out.
    case conditional(NameScope)
    /// activation(input 0 · weights + bias).
    case dense(DenseLayer)
    /// A product of integers, with what comes before and behind it.
    case integerDense(IntegerDense)
    /// activation(input 0 · weights + bias), the weights codes.
    case codeDense(CodeDense)
    /// activation(input 0).
    case activation(Activation)
    /// input 0 · scale + offset, each along the last axis.
    case affine(scale: [Float], offset: [Float])
  }

  package var isStandard: Bool { if case .standard = operation { true } else { false } }

  /// Whether it is an operator that ONNX Runtime adds to the standard, as the model gave it.
  package func isContributed(_ name: String) -> Bool {
    isStandard && origin.operatorType == name && origin.domain == "com.microsoft"
  }

  /// Whether it is the standard operator of that name, as the model gave it, and broadcasts as it does since version 7.
  package func isOperator(_ name: String) -> Bool {
    isStandard && origin.operatorType == name && (origin.domain.isEmpty || origin.domain == "ai.onnx")
      && !(version < 7 && origin.attribute("axis") != nil && origin.attribute("broadcast") != nil)
  }
}
