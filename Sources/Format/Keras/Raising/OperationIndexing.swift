/// Parts of a value, as the indexing that Keras 3 records: `x[:, 2:4]`, `keras.ops.take`.
enum OperationIndexing {
  static func raise(
    _ node: Node, _ value: RaisedValue, rank: Int, _ raising: inout Raising
  ) throws(FormatError) -> Bool {
    switch node.operatorType {
    case "Slice": slice(node, value, rank: rank, &raising)
    case "Split": split(node, value, rank: rank, &raising)
    case "Gather": take(node, value, rank: rank, &raising)
    default: false
    }
  }

  private static func slice(_ node: Node, _ value: RaisedValue, rank: Int, _ raising: inout Raising) -> Bool {
    func list(_ name: String, _ index: Int) -> [Int]? {
      // Limits far outside stand for the ends.
      node.ints(name) ?? raising.integers(node, index)?.map { max(-1_000_000_000, min(1_000_000_000, $0)) }
    }
    guard let starts = list("starts", 1), let ends = list("ends", 2), starts.count == ends.count else { return false }
    let axes = (list("axes", 3) ?? Array(starts.indices)).map { $0 < 0 ? $0 + rank : $0 }
    let steps = list("steps", 4) ?? Array(repeating: 1, count: starts.count)
    guard axes.count == starts.count, steps.count == starts.count, axes.allSatisfy((1..<max(rank, 1)).contains),
      steps.allSatisfy({ $0 > 0 })
    else { return false }
    var key = Array(repeating: range(nil, nil, 1), count: rank)
    for (index, axis) in axes.enumerated() {
      key[axis] = range(starts[index], ends[index] >= 1_000_000_000 ? nil : ends[index], steps[index])
    }
    emit(key, value, as: node.outputs[0], of: node, &raising)
    return true
  }

  private static func split(_ node: Node, _ value: RaisedValue, rank: Int, _ raising: inout Raising) -> Bool {
    let stated = node.int("axis", default: 0)
    let axis = stated < 0 ? stated + rank : stated
    guard axis > 0, axis < rank else { return false }
    var start = 0
    for output in node.outputs {
      guard let shape = raising.shape(output), shape.rank == rank, let extent = shape[axis].value,
        case (let end, false) = start.addingReportingOverflow(extent)
      else { return false }
      if !output.isEmpty, raising.useCount(output) > 0 {
        var key = Array(repeating: range(nil, nil, 1), count: rank)
        key[axis] = range(start, end, 1)
        emit(key, value, as: output, of: node, &raising)
      }
      start = end
    }
    return true
  }

  private static func take(_ node: Node, _ value: RaisedValue, rank: Int, _ raising: inout Raising) -> Bool {
    let stated = node.int("axis", default: 0)
    let axis = stated < 0 ? stated + rank : stated
    guard axis > 0, let indices = raising.constant(node, 1), let argument = raising.argument(indices),
      indices.shape.count <= 1, indices.shape.isEmpty || indices.count > 1
    else { return false }
    raising.emitOperation(
      "Take", "numpy", ["axis": .int(axis)], [value], [.input(0), .constant(argument)], as: node.outputs[0], of: node)
    return true
  }

  private static func emit(
    _ key: [JSONValue], _ value: RaisedValue, as output: String, of node: Node, _ raising: inout Raising
  ) {
    raising.emitOperation(
      "GetItem", "numpy", [:], [value], [.input(0), .constant(.array(key))], as: output, of: node)
  }

  private static func range(_ start: Int?, _ stop: Int?, _ step: Int) -> JSONValue {
    [
      "class_name": "__slice__",
      "config": [
        "start": start.map(JSONValue.int) ?? .null, "stop": stop.map(JSONValue.int) ?? .null,
        "step": step == 1 ? .null : .int(step),
      ],
    ]
  }
}
