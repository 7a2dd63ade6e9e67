import Glibc
import NNFormat

/// Operators of the reference that choose by conditions, move blocks, or measure classifiers.
enum ReferenceSelection {
  static func run(_ node: ReferenceNode) -> [ReferenceTensor]? {
    let x = node[0]
    return switch node.node.operatorType {
    case "Compress": [compress(node)]
    case "NonZero": [nonZero(x)]
    case "Unique": unique(node)
    case "TensorScatter": [tensorScatter(node)]
    case "ReverseSequence": [reverse(node)]
    case "CenterCropPad": [centerCropPad(node)]
    case "SpaceToDepth": [spaceToDepth(node)]
    case "DepthToSpace": [depthToSpace(node)]
    case "BitCast": [ReferenceTensor(.int32, x.shape, x.values.map { Double(Int32(bitPattern: Float($0).bitPattern)) })]
    case "GlobalAveragePool": [pool(x) { $0.reduce(0, +) / Double($0.count) }]
    case "GlobalMaxPool": [pool(x) { $0.max() ?? -.infinity }]
    case "NegativeLogLikelihoodLoss": [loss(node, logarithms: x)]
    case "SoftmaxCrossEntropyLoss": crossEntropy(node)
    default: nil
    }
  }

  private static func compress(_ node: ReferenceNode) -> ReferenceTensor {
    let isFlat = node.node.attribute("axis") == nil
    let x = isFlat ? ReferenceTensor(node[0].elementType, [node[0].values.count], node[0].values) : node[0]
    let axis = isFlat ? 0 : node.axis(0)
    let chosen = node[1].values.indices.filter { node[1].values[$0] != 0 }
    var shape = x.shape
    shape[axis] = chosen.count
    return .build(x.elementType, shape) { index in
      var source = index
      source[axis] = chosen[index[axis]]
      return x.at(source)
    }
  }

  private static func unique(_ node: ReferenceNode) -> [ReferenceTensor] {
    let isFlat = node.node.attribute("axis") == nil
    let x = isFlat ? ReferenceTensor(node[0].elementType, [node[0].values.count], node[0].values) : node[0]
    let axis = isFlat ? 0 : node.axis(0)
    let slices = (0..<x.shape[axis]).map { place in
      ReferenceTensor.indices(x.shape).filter { $0[axis] == place }.map { x.at($0) }
    }
    var firsts = slices.indices.filter { slices.firstIndex(of: slices[$0]) == $0 }
    if node.node.int("sorted", default: 1) != 0 {
      firsts.sort { slices[$0].lexicographicallyPrecedes(slices[$1]) }
    }
    func list(_ values: [Int]) -> ReferenceTensor {
      ReferenceTensor(.int64, [values.count], values.map { Double($0) })
    }
    var shape = x.shape
    shape[axis] = firsts.count
    let chosen = ReferenceTensor.build(x.elementType, shape) { index in
      var source = index
      source[axis] = firsts[index[axis]]
      return x.at(source)
    }
    return [
      chosen, list(firsts), list(slices.map { slice in firsts.firstIndex { slices[$0] == slice } ?? 0 }),
      list(firsts.map { first in slices.count { $0 == slices[first] } }),
    ]
  }

  private static func tensorScatter(_ node: ReferenceNode) -> ReferenceTensor {
    let x = node[0]
    var values = x.values
    let axis = node.axis(-2)
    for index in ReferenceTensor.indices(node[1].shape) {
      var target = index
      target[axis] = (target[axis] + (node.has(2) ? node[2].ints[index[0]] : 0)) % x.shape[axis]
      values[x.offset(target)] = node[1].at(index)
    }
    return ReferenceTensor(x.elementType, x.shape, values)
  }

  private static func nonZero(_ x: ReferenceTensor) -> ReferenceTensor {
    let places = ReferenceTensor.indices(x.shape).filter { x.at($0) != 0 }
    return .build(.int64, [x.shape.count, places.count]) { Double(places[$0[1]][$0[0]]) }
  }

  private static func reverse(_ node: ReferenceNode) -> ReferenceTensor {
    let (batch, time) = (node.node.int("batch_axis", default: 1), node.node.int("time_axis", default: 0))
    return .build(node[0].elementType, node[0].shape) { index in
      let length = node[1].ints[index[batch]]
      var source = index
      if index[time] < length { source[time] = length - 1 - index[time] }
      return node[0].at(source)
    }
  }

  private static func centerCropPad(_ node: ReferenceNode) -> ReferenceTensor {
    let x = node[0]
    var shape = x.shape
    let axes = node.node.ints("axes") ?? Array(shape.indices)
    for (axis, extent) in zip(axes, node[1].ints) { shape[axis < 0 ? axis + shape.count : axis] = extent }
    return .build(x.elementType, shape) { index in
      let source = index.indices.map { axis in
        let (own, wanted) = (x.shape[axis], shape[axis])
        return own >= wanted ? index[axis] + (own - wanted) / 2 : index[axis] - (wanted - own) / 2
      }
      return zip(source, x.shape).allSatisfy { $0 >= 0 && $0 < $1 } ? x.at(source) : 0
    }
  }

  private static func isRowMajor(_ node: ReferenceNode) -> Bool { node.node.text("mode", default: "DCR") == "DCR" }

  private static func spaceToDepth(_ node: ReferenceNode) -> ReferenceTensor {
    let (x, size) = (node[0], node.node.int("blocksize", default: 1))
    let channels = x.shape[1]
    let shape = [x.shape[0], channels * size * size, x.shape[2] / size, x.shape[3] / size]
    return .build(x.elementType, shape) { index in
      let block = isRowMajor(node) ? index[1] / channels : index[1] % (size * size)
      let channel = isRowMajor(node) ? index[1] % channels : index[1] / (size * size)
      return x.at([index[0], channel, index[2] * size + block / size, index[3] * size + block % size])
    }
  }

  private static func depthToSpace(_ node: ReferenceNode) -> ReferenceTensor {
    let (x, size) = (node[0], node.node.int("blocksize", default: 1))
    let channels = x.shape[1] / (size * size)
    return .build(x.elementType, [x.shape[0], channels, x.shape[2] * size, x.shape[3] * size]) { index in
      let block = index[2] % size * size + index[3] % size
      let channel = isRowMajor(node) ? block * channels + index[1] : index[1] * size * size + block
      return x.at([index[0], channel, index[2] / size, index[3] / size])
    }
  }

  private static func pool(_ x: ReferenceTensor, _ reduce: ([Double]) -> Double) -> ReferenceTensor {
    .build(x.elementType, x.shape.enumerated().map { $0 < 2 ? $1 : 1 }) { index in
      reduce(ReferenceTensor.indices(Array(x.shape.dropFirst(2))).map { x.at(Array(index.prefix(2)) + $0) })
    }
  }

  private static func crossEntropy(_ node: ReferenceNode) -> [ReferenceTensor] {
    let x = node[0]
    let logarithms = ReferenceTensor.build(x.elementType, x.shape) { index in
      let line = (0..<x.shape[1]).map { place in
        var index = index
        index[1] = place
        return x.at(index)
      }
      let highest = line.max() ?? 0
      return x.at(index) - highest - log(line.reduce(0) { $0 + exp($1 - highest) })
    }
    return [loss(node, logarithms: logarithms), logarithms]
  }

  private static func loss(_ node: ReferenceNode, logarithms: ReferenceTensor) -> ReferenceTensor {
    let type = node[0].elementType
    let ignored = node.node.attribute("ignore_index") == nil ? nil : node.node.int("ignore_index", default: 0)
    func weight(_ target: Int) -> Double { target == ignored ? 0 : node.has(2) ? node[2].values[target] : 1 }
    let losses = ReferenceTensor.build(type, node[1].shape) { index in
      let target = Int(node[1].at(index))
      guard target != ignored else { return 0 }
      return -weight(target) * logarithms.at([index[0], target] + index.dropFirst())
    }
    let sum = losses.values.reduce(0, +)
    return switch node.node.text("reduction", default: "mean") {
    case "none": losses
    case "sum": ReferenceTensor(type, [], [sum])
    default: ReferenceTensor(type, [], [sum / node[1].ints.reduce(0) { $0 + weight($1) }])
    }
  }
}
