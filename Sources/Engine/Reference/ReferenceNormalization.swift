import Glibc
import NNFormat

/// Normalisations and Dropout of the reference.
enum ReferenceNormalization {
  static func run(_ node: ReferenceNode) -> [ReferenceTensor]? {
    switch node.node.operatorType {
    case "BatchNormalization": batch(node)
    case "LayerNormalization": rows(node, isCentred: true)
    case "RMSNormalization": rows(node, isCentred: false)
    case "InstanceNormalization": [groups(node, node[0].shape[1], ofGroups: false)]
    case "GroupNormalization": [groups(node, node.node.int("num_groups", default: 1), ofGroups: node.version < 21)]
    case "LpNormalization": [lp(node)]
    case "MeanVarianceNormalization": [meanVariance(node)]
    case "Dropout": dropout(node)
    default: nil
    }
  }

  private static func moments(_ line: [Double]) -> (mean: Double, variance: Double) {
    let mean = line.reduce(0, +) / Double(line.count)
    return (mean, line.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(line.count))
  }

  private static func batch(_ node: ReferenceNode) -> [ReferenceTensor] {
    let x = node[0]
    let isSpatial = node.version >= 9 || node.node.int("spatial", default: 1) != 0
    let training =
      node.version >= 14 ? node.node.int("training_mode", default: 0) != 0 : node.node.outputs.count > 1
    /// The elements that share an element's statistics.
    func line(_ index: [Int]) -> [Double] {
      ReferenceAlgebra.along(x, index, x.shape.indices.filter { $0 == 0 || (isSpatial && $0 > 1) })
    }
    func place(_ index: [Int], _ parameter: ReferenceTensor) -> Double {
      isSpatial ? parameter.values[index.count > 1 ? index[1] : 0] : parameter.at(Array(index.dropFirst()))
    }
    let y = ReferenceTensor.build(x.elementType, x.shape) { index in
      let (mean, variance) = training ? moments(line(index)) : (place(index, node[3]), place(index, node[4]))
      return (x.at(index) - mean) / sqrt(variance + node.alpha(1e-5, "epsilon")) * place(index, node[1])
        + place(index, node[2])
    }
    guard training else { return [y] }
    let batch = ReferenceTensor.indices(node[3].shape).map { index in
      moments(line([0] + index + Array(repeating: 0, count: x.shape.count - 1 - index.count)))
    }
    let momentum = node.alpha(0.9, "momentum")
    func statistics(_ values: [Double]) -> ReferenceTensor {
      ReferenceTensor(node[3].elementType, node[3].shape, values)
    }
    func running(_ before: [Double], _ now: [Double]) -> ReferenceTensor {
      statistics(zip(before, now).map { $0 * momentum + $1 * (1 - momentum) })
    }
    let (means, variances) = (batch.map(\.mean), batch.map(\.variance))
    return [
      y, running(node[3].values, means), running(node[4].values, variances), statistics(means), statistics(variances),
    ]
  }

  static func rows(_ node: ReferenceNode, isCentred: Bool) -> [ReferenceTensor] {
    let x = node[0]
    let axes = Array(node.axis(-1)..<x.shape.count)
    func statistics(_ index: [Int]) -> (mean: Double, inverse: Double) {
      let line = ReferenceAlgebra.along(x, index, axes)
      let square = line.reduce(0) { $0 + $1 * $1 } / Double(line.count)
      let (mean, variance) = isCentred ? moments(line) : (0, square)
      return (mean, 1 / sqrt(variance + node.alpha(1e-5, "epsilon")))
    }
    let y = ReferenceTensor.build(x.elementType, x.shape) { index in
      let (mean, inverse) = statistics(index)
      return (x.at(index) - mean) * inverse * node[1].broadcastAt(index)
        + (node.has(2) ? node[2].broadcastAt(index) : 0)
    }
    let outer = x.shape.enumerated().map { axes.contains($0) ? 1 : $1 }
    return [
      y, .build(.float32, outer) { statistics($0).mean }, .build(.float32, outer) { statistics($0).inverse },
    ]
  }

  private static func groups(_ node: ReferenceNode, _ groups: Int, ofGroups: Bool) -> ReferenceTensor {
    let x = node[0]
    let width = x.shape[1] / groups
    let all = ReferenceTensor.indices(x.shape)
    return .build(x.elementType, x.shape) { index in
      let line = all.filter { $0[0] == index[0] && $0[1] / width == index[1] / width }.map { x.at($0) }
      let (mean, variance) = moments(line)
      let place = ofGroups ? index[1] / width : index[1]
      return (x.at(index) - mean) / sqrt(variance + node.alpha(1e-5, "epsilon")) * node[1].values[place]
        + node[2].values[place]
    }
  }

  private static func lp(_ node: ReferenceNode) -> ReferenceTensor {
    let x = node[0]
    let order = Double(node.node.int("p", default: 2))
    return .build(x.elementType, x.shape) { index in
      let line = ReferenceAlgebra.along(x, index, [node.axis(-1)])
      let norm = pow(line.reduce(0) { $0 + pow(abs($1), order) }, 1 / order)
      return norm == 0 ? 0 : x.at(index) / norm
    }
  }

  private static func meanVariance(_ node: ReferenceNode) -> ReferenceTensor {
    let x = node[0]
    let axes = (node.node.ints("axes") ?? [0, 2, 3]).map { $0 < 0 ? $0 + x.shape.count : $0 }
    return .build(x.elementType, x.shape) { index in
      let (mean, variance) = moments(ReferenceAlgebra.along(x, index, axes))
      return (x.at(index) - mean) / (sqrt(variance) + 1e-9)
    }
  }

  /// Without training; what training draws is checked against the standard's own tests.
  private static func dropout(_ node: ReferenceNode) -> [ReferenceTensor] {
    let mask = ReferenceTensor(
      node.version < 10 ? node[0].elementType : .bool, node[0].shape, node[0].values.map { _ in 1 })
    return [node[0], mask]
  }
}
