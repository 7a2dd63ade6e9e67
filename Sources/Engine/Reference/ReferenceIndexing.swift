import NNFormat

/// Operators of the reference that choose, update or order elements.
enum ReferenceIndexing {
  static func run(_ node: ReferenceNode) -> [ReferenceTensor]? {
    switch node.node.operatorType {
    case "GatherElements": [gatherElements(node)]
    case "GatherND": [gatherND(node)]
    case "Scatter", "ScatterElements": [scatterElements(node)]
    case "ScatterND": [scatterND(node)]
    case "OneHot": [oneHot(node)]
    case "TopK": topK(node)
    case "CumSum": [running(node, 0, +)]
    case "CumProd": [running(node, 1, *)]
    case "Trilu": [triangle(node)]
    case "EyeLike": [eye(node)]
    case "Pad": [pad(node)]
    default: nil
    }
  }

  private static func place(_ value: Double, _ extent: Int) -> Int { Int(value) + (value < 0 ? extent : 0) }

  private static func gatherElements(_ node: ReferenceNode) -> ReferenceTensor {
    let (x, axis) = (node[0], node.axis(0))
    return .build(x.elementType, node[1].shape) { index in
      var source = index
      source[axis] = place(node[1].at(index), x.shape[axis])
      return x.at(source)
    }
  }

  /// The tuple of indices that stands at a position of the index operand.
  private static func tuple(_ indices: ReferenceTensor, _ position: [Int], _ extents: [Int]) -> [Int] {
    (0..<(indices.shape.last ?? 0)).map { place(indices.at(position + [$0]), extents[$0]) }
  }

  private static func gatherND(_ node: ReferenceNode) -> ReferenceTensor {
    let (x, indices) = (node[0], node[1])
    let batch = node.node.int("batch_dims", default: 0)
    let depth = indices.shape.last ?? 0
    let shape = Array(indices.shape.dropLast()) + Array(x.shape.dropFirst(batch + depth))
    return .build(x.elementType, shape) { index in
      let position = Array(index.prefix(indices.shape.count - 1))
      let chosen = tuple(indices, position, Array(x.shape.dropFirst(batch)))
      return x.at(Array(index.prefix(batch)) + chosen + Array(index.dropFirst(position.count)))
    }
  }

  private static func joined(_ node: ReferenceNode, _ old: Double, _ new: Double) -> Double {
    switch node.node.text("reduction", default: "none") {
    case "add": old + new
    case "mul": old * new
    case "max": old.isNaN || new.isNaN ? .nan : max(old, new)
    case "min": old.isNaN || new.isNaN ? .nan : min(old, new)
    default: new
    }
  }

  private static func scatterElements(_ node: ReferenceNode) -> ReferenceTensor {
    var values = node[0].values
    let axis = node.axis(0)
    for index in ReferenceTensor.indices(node[1].shape) {
      var target = index
      target[axis] = place(node[1].at(index), node[0].shape[axis])
      let offset = node[0].offset(target)
      values[offset] = joined(node, values[offset], node[2].at(index))
    }
    return ReferenceTensor(node[0].elementType, node[0].shape, values)
  }

  private static func scatterND(_ node: ReferenceNode) -> ReferenceTensor {
    var values = node[0].values
    for index in ReferenceTensor.indices(node[2].shape) {
      let position = Array(index.prefix(node[1].shape.count - 1))
      let offset = node[0].offset(tuple(node[1], position, node[0].shape) + Array(index.dropFirst(position.count)))
      values[offset] = joined(node, values[offset], node[2].at(index))
    }
    return ReferenceTensor(node[0].elementType, node[0].shape, values)
  }

  private static func oneHot(_ node: ReferenceNode) -> ReferenceTensor {
    let depth = node[1].ints[0]
    let axis = node.node.int("axis", default: -1)
    let position = axis < 0 ? axis + node[0].shape.count + 1 : axis
    var shape = node[0].shape
    shape.insert(depth, at: position)
    return .build(node[2].elementType, shape) { index in
      var source = index
      let here = source.remove(at: position)
      return node[2].values[place(node[0].at(source), depth) == here ? 1 : 0]
    }
  }

  private static func topK(_ node: ReferenceNode) -> [ReferenceTensor] {
    let (x, axis) = (node[0], node.axis(-1))
    let isLargest = node.node.int("largest", default: 1) != 0
    var shape = x.shape
    shape[axis] = node.has(1) ? node[1].ints[0] : node.node.int("k", default: 0)
    func order(_ index: [Int]) -> [(value: Double, place: Int)] {
      (0..<x.shape[axis]).map { place in
        var source = index
        source[axis] = place
        return (x.at(source), place)
      }.sorted { a, b in
        a.value == b.value ? a.place < b.place : isLargest ? a.value > b.value : a.value < b.value
      }
    }
    return [
      .build(x.elementType, shape) { order($0)[$0[axis]].value },
      .build(.int64, shape) { Double(order($0)[$0[axis]].place) },
    ]
  }

  private static func running(
    _ node: ReferenceNode, _ start: Double, _ join: (Double, Double) -> Double
  ) -> ReferenceTensor {
    let x = node[0]
    let axis = place(node[1].values[0], x.shape.count)
    let isExclusive = node.node.int("exclusive", default: 0) != 0
    let isReverse = node.node.int("reverse", default: 0) != 0
    return .build(x.elementType, x.shape) { index in
      let here = index[axis]
      let places = (0..<x.shape[axis]).filter { isReverse ? $0 >= here : $0 <= here }
      return places.filter { !isExclusive || $0 != here }.reduce(start) { total, place in
        var source = index
        source[axis] = place
        return join(total, x.at(source))
      }
    }
  }

  private static func triangle(_ node: ReferenceNode) -> ReferenceTensor {
    let isUpper = node.node.int("upper", default: 1) != 0
    let diagonal = node.has(1) ? node[1].ints[0] : 0
    return .build(node[0].elementType, node[0].shape) { index in
      let distance = index[index.count - 1] - index[index.count - 2]
      return (isUpper ? distance >= diagonal : distance <= diagonal) ? node[0].at(index) : 0
    }
  }

  private static func eye(_ node: ReferenceNode) -> ReferenceTensor {
    let type = ElementType(rawValue: Int32(node.node.int("dtype", default: 0))) ?? node[0].elementType
    let diagonal = node.node.int("k", default: 0)
    return .build(type, node[0].shape) { $0[1] - $0[0] == diagonal ? 1 : 0 }
  }

  /// Axis by axis: the list of source places, nil for the constant, grown or cut at both ends.
  private static func pad(_ node: ReferenceNode) -> ReferenceTensor {
    let x = node[0]
    let pads = node.has(1) ? node[1].ints : node.node.ints("pads") ?? node.node.ints("paddings") ?? []
    let axes = (node.has(3) ? node[3].ints : Array(x.shape.indices)).map { $0 < 0 ? $0 + x.shape.count : $0 }
    let mode = node.node.text("mode", default: "constant")
    let value = node.has(2) ? node[2].values[0] : Double(node.node.float("value", default: 0))
    var places = x.shape.map { (0..<$0).map(Optional.some) }
    for (number, axis) in axes.enumerated() {
      let (before, after) = (pads[number], pads[axes.count + number])
      let kept = Array(places[axis].dropFirst(max(-before, 0)).dropLast(max(-after, 0)))
      // What lies outside of a line continues it: its mirror image without the ends, or the line itself.
      let line = mode == "reflect" ? kept + kept.dropFirst().dropLast().reversed() : kept
      func outside(_ place: Int) -> Int? {
        switch mode {
        case "edge": place < 0 ? kept.first ?? nil : kept.last ?? nil
        case "reflect", "wrap": line[(place % line.count + line.count) % line.count]
        default: nil
        }
      }
      places[axis] = (-max(before, 0)..<kept.count + max(after, 0)).map { place in
        kept.indices.contains(place) ? kept[place] : outside(place)
      }
    }
    return .build(x.elementType, places.map(\.count)) { index in
      let source = zip(places, index).compactMap { $0[$1] }
      return source.count == index.count ? x.at(source) : value
    }
  }
}
