import NNFormat

/// Shape and layout operators of the reference.
enum ReferenceLayout {
  static func run(_ node: ReferenceNode) throws(EngineError) -> [ReferenceTensor]? {
    let x = node[0]
    func same(_ shape: [Int]) -> [ReferenceTensor] { [ReferenceTensor(x.elementType, shape, x.values)] }
    switch node.node.operatorType {
    case "Flatten":
      let axis = node.axis(1)
      return same([x.shape.prefix(axis).reduce(1, *), x.shape.dropFirst(axis).reduce(1, *)])
    case "Reshape": return same(reshaped(node))
    case "Squeeze": return same(squeezed(node))
    case "Unsqueeze": return same(unsqueezed(node))
    case "Transpose": return [transpose(node)]
    case "Expand":
      return [.build(x.elementType, ReferenceElementwise.common([x.shape, node[1].ints])) { x.broadcastAt($0) }]
    case "Tile":
      return [
        .build(x.elementType, zip(x.shape, node[1].ints).map { $0 * $1 }) { index in
          x.at(zip(index, x.shape).map { $0 % $1 })
        }
      ]
    case "Concat": return [concat(node)]
    case "Split": return split(node)
    case "Slice": return [slice(node)]
    case "Gather": return [gather(node)]
    case "Shape": return [shape(node)]
    case "Size": return [ReferenceTensor(.int64, [], [Double(x.values.count)])]
    case "Constant": return try constant(node)
    case "ConstantOfShape": return [try fill(node)]
    case "Range": return [range(node)]
    default: return nil
    }
  }

  private static func reshaped(_ node: ReferenceNode) -> [Int] {
    let wanted = node.has(1) ? node[1].ints : node.node.ints("shape") ?? []
    let keepsZero = node.node.int("allowzero", default: 0) != 0
    let copied = wanted.enumerated().map { $1 == 0 && !keepsZero ? node[0].shape[$0] : $1 }
    let rest = copied.filter { $0 >= 0 }.reduce(1, *)
    return copied.map { $0 < 0 ? (rest == 0 ? 0 : node[0].values.count / rest) : $0 }
  }

  private static func axes(_ node: ReferenceNode, rank: Int) -> [Int]? {
    (node.has(1) ? node[1].ints : node.node.ints("axes"))?.map { $0 < 0 ? $0 + rank : $0 }
  }

  private static func squeezed(_ node: ReferenceNode) -> [Int] {
    let shape = node[0].shape
    let axes = axes(node, rank: shape.count)
    return shape.enumerated().filter { axis, extent in axes.map { !$0.contains(axis) } ?? (extent != 1) }.map(\.element)
  }

  private static func unsqueezed(_ node: ReferenceNode) -> [Int] {
    let count = (node.has(1) ? node[1].ints : node.node.ints("axes") ?? []).count
    let axes = axes(node, rank: node[0].shape.count + count) ?? []
    var shape = node[0].shape
    for axis in axes.sorted() { shape.insert(1, at: axis) }
    return shape
  }

  private static func transpose(_ node: ReferenceNode) -> ReferenceTensor {
    let x = node[0]
    let order = node.node.ints("perm") ?? x.shape.indices.reversed()
    return .build(x.elementType, order.map { x.shape[$0] }) { index in
      var source = index
      for (position, axis) in order.enumerated() { source[axis] = index[position] }
      return x.at(source)
    }
  }

  private static func concat(_ node: ReferenceNode) -> ReferenceTensor {
    let axis = node.axis(1)
    var shape = node[0].shape
    shape[axis] = node.given.reduce(0) { $0 + $1.shape[axis] }
    return .build(node[0].elementType, shape) { index in
      var index = index
      for operand in node.given {
        if index[axis] < operand.shape[axis] { return operand.at(index) }
        index[axis] -= operand.shape[axis]
      }
      return .nan
    }
  }

  private static func split(_ node: ReferenceNode) -> [ReferenceTensor] {
    let x = node[0]
    let axis = node.axis(0)
    let parts = node.node.outputs.count
    let equal = (x.shape[axis] + parts - 1) / parts
    let even = (0..<parts).map { min(equal, x.shape[axis] - $0 * equal) }
    let lengths = node.has(1) ? node[1].ints : node.node.ints("split") ?? even
    var start = 0
    return lengths.map { length in
      var shape = x.shape
      shape[axis] = length
      defer { start += length }
      return .build(x.elementType, shape) { index in
        var index = index
        index[axis] += start
        return x.at(index)
      }
    }
  }

  private static func slice(_ node: ReferenceNode) -> ReferenceTensor {
    let x = node[0]
    let starts = node.has(1) ? node[1].ints : node.node.ints("starts") ?? []
    let ends = node.has(2) ? node[2].ints : node.node.ints("ends") ?? []
    let axes = node.has(3) ? node[3].ints : node.node.ints("axes") ?? Array(starts.indices)
    let steps = node.has(4) ? node[4].ints : starts.map { _ in 1 }
    var positions = x.shape.map { Array(0..<$0) }
    for (number, axis) in axes.enumerated() {
      let axis = axis < 0 ? axis + x.shape.count : axis
      let extent = x.shape[axis]
      func absolute(_ value: Int) -> Int { value < 0 ? value + extent : value }
      let range =
        steps[number] > 0
        ? stride(
          from: min(max(absolute(starts[number]), 0), extent), to: min(max(absolute(ends[number]), 0), extent),
          by: steps[number])
        : stride(
          from: min(max(absolute(starts[number]), -1), extent - 1),
          to: min(max(absolute(ends[number]), -1), extent - 1), by: steps[number])
      positions[axis] = Array(range)
    }
    return .build(x.elementType, positions.map(\.count)) { index in x.at(zip(positions, index).map { $0[$1] }) }
  }

  private static func gather(_ node: ReferenceNode) -> ReferenceTensor {
    let (x, indices) = (node[0], node[1])
    let axis = node.axis(0)
    let shape = Array(x.shape.prefix(axis)) + indices.shape + Array(x.shape.dropFirst(axis + 1))
    return .build(x.elementType, shape) { index in
      let chosen = Int(indices.at(Array(index[axis..<axis + indices.shape.count])))
      let place = chosen < 0 ? chosen + x.shape[axis] : chosen
      return x.at(Array(index.prefix(axis)) + [place] + Array(index.dropFirst(axis + indices.shape.count)))
    }
  }

  private static func shape(_ node: ReferenceNode) -> ReferenceTensor {
    let shape = node[0].shape
    func clamped(_ axis: Int) -> Int { min(max(axis < 0 ? axis + shape.count : axis, 0), shape.count) }
    let start = clamped(node.node.int("start", default: 0))
    let end = clamped(node.node.int("end", default: shape.count))
    let part = start < end ? shape[start..<end].map { Double($0) } : []
    return ReferenceTensor(.int64, [part.count], part)
  }

  private static func constant(_ node: ReferenceNode) throws(EngineError) -> [ReferenceTensor]? {
    switch node.node.attributes.first?.value {
    case .tensor(let tensor): [try ReferenceTensor(tensor)]
    case .float(let value): [ReferenceTensor(.float32, [], [Double(value)])]
    case .floats(let values): [ReferenceTensor(.float32, [values.count], values.map { Double($0) })]
    case .int(let value): [ReferenceTensor(.int64, [], [Double(value)])]
    case .ints(let values): [ReferenceTensor(.int64, [values.count], values.map { Double($0) })]
    default: nil
    }
  }

  private static func fill(_ node: ReferenceNode) throws(EngineError) -> ReferenceTensor {
    var value = ReferenceTensor(.float32, [1], [0])
    if case .tensor(let tensor) = node.node.attribute("value") { value = try ReferenceTensor(tensor) }
    return .build(value.elementType, node[0].ints) { _ in value.values[0] }
  }

  private static func range(_ node: ReferenceNode) -> ReferenceTensor {
    let values = Array(stride(from: node[0].values[0], to: node[1].values[0], by: node[2].values[0]))
    return ReferenceTensor(node[0].elementType, [values.count], values)
  }
}
