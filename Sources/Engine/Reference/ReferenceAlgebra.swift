import Glibc
import NNFormat

/// Products, reductions and normalisations of the reference.
enum ReferenceAlgebra {
  static func run(_ node: ReferenceNode) -> ReferenceTensor? {
    switch node.node.operatorType {
    case "MatMul": matMul(node[0], node[1])
    case "Gemm": gemm(node)
    case "Softmax": softmax(node) { exp($0) / $1 }
    case "LogSoftmax": softmax(node) { $0 - log($1) }
    case "Hardmax": hardmax(node)
    case "ArgMax", "ArgMin": arg(node)
    case "Einsum": einsum(node)
    case let name where name.hasPrefix("Reduce"): reduce(node, String(name.dropFirst(6)))
    default: nil
    }
  }

  static func matMul(_ x: ReferenceTensor, _ y: ReferenceTensor) -> ReferenceTensor {
    let a = x.shape.count == 1 ? ReferenceTensor(x.elementType, [1] + x.shape, x.values) : x
    let b = y.shape.count == 1 ? ReferenceTensor(y.elementType, y.shape + [1], y.values) : y
    let stack = ReferenceElementwise.common([Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2))])
    let (rows, depth, columns) = (a.shape[a.shape.count - 2], a.shape[a.shape.count - 1], b.shape[b.shape.count - 1])
    let full = ReferenceTensor.build(x.elementType, stack + [rows, columns]) { index in
      let outer = Array(index.dropLast(2))
      return (0..<depth).reduce(0) { sum, k in
        sum + a.broadcastAt(outer + [index[stack.count], k]) * b.broadcastAt(outer + [k, index[stack.count + 1]])
      }
    }
    let shape = stack + (x.shape.count == 1 ? [] : [rows]) + (y.shape.count == 1 ? [] : [columns])
    return ReferenceTensor(x.elementType, shape, full.values)
  }

  static func gemm(_ node: ReferenceNode) -> ReferenceTensor {
    let (a, b) = (node[0], node[1])
    let transA = node.node.int("transA", default: 0) != 0
    let transB = node.node.int("transB", default: 0) != 0
    let depth = a.shape[transA ? 0 : 1]
    return .build(a.elementType, [a.shape[transA ? 1 : 0], b.shape[transB ? 0 : 1]]) { index in
      let sum = (0..<depth).reduce(0) { sum, k in
        sum + a.at(transA ? [k, index[0]] : [index[0], k]) * b.at(transB ? [index[1], k] : [k, index[1]])
      }
      return node.alpha(1) * sum + (node.has(2) ? node.alpha(1, "beta") * node[2].broadcastAt(index) : 0)
    }
  }

  private static func softmax(_ node: ReferenceNode, _ finish: (Double, Double) -> Double) -> ReferenceTensor {
    let x = node[0]
    let axis = node.axis(node.version < 13 ? 1 : -1)
    let axes = node.version < 13 ? Array(axis..<max(axis, x.shape.count)) : [axis]
    return .build(x.elementType, x.shape) { index in
      let line = along(x, index, axes)
      let highest = line.max() ?? 0
      return finish(x.at(index) - highest, line.reduce(0) { $0 + exp($1 - highest) })
    }
  }

  /// The elements that share all coordinates of an index but those of some axes.
  static func along(_ x: ReferenceTensor, _ index: [Int], _ axes: [Int]) -> [Double] {
    ReferenceTensor.indices(axes.map { x.shape[$0] }).map { moved in
      var index = index
      for (axis, value) in zip(axes, moved) { index[axis] = value }
      return x.at(index)
    }
  }

  private static func hardmax(_ node: ReferenceNode) -> ReferenceTensor {
    let x = node[0]
    let axis = node.axis(node.version < 13 ? 1 : -1)
    let axes = node.version < 13 ? Array(axis..<max(axis, x.shape.count)) : [axis]
    return .build(x.elementType, x.shape) { index in
      let line = along(x, index, axes)
      let place = axes.reduce(0) { $0 * x.shape[$1] + index[$1] }
      return line.firstIndex(of: line.max() ?? 0) == place ? 1 : 0
    }
  }

  private static func reduce(_ node: ReferenceNode, _ kind: String) -> ReferenceTensor? {
    let x = node[0]
    var axes = node.has(1) ? node[1].ints : node.node.ints("axes") ?? []
    if axes.isEmpty { axes = node.node.int("noop_with_empty_axes", default: 0) != 0 ? [] : Array(x.shape.indices) }
    axes = axes.map { $0 < 0 ? $0 + x.shape.count : $0 }
    let shape = x.shape.enumerated().map { axes.contains($0) ? 1 : $1 }
    let full = ReferenceTensor.build(x.elementType, shape) { index in
      combine(kind, along(x, index, axes), isInteger: x.elementType.isInteger)
    }
    if node.node.int("keepdims", default: 1) != 0 { return full }
    return ReferenceTensor(
      x.elementType, x.shape.enumerated().filter { !axes.contains($0.offset) }.map(\.element), full.values)
  }

  private static func combine(_ kind: String, _ line: [Double], isInteger: Bool) -> Double {
    switch kind {
    case "Sum": line.reduce(0, +)
    case "Mean":
      isInteger ? (line.reduce(0, +) / Double(line.count)).rounded(.towardZero) : line.reduce(0, +) / Double(line.count)
    case "Max": line.max() ?? -.infinity
    case "Min": line.min() ?? .infinity
    case "Prod": line.reduce(1, *)
    case "L1": line.reduce(0) { $0 + abs($1) }
    case "L2": sqrt(line.reduce(0) { $0 + $1 * $1 })
    case "SumSquare": line.reduce(0) { $0 + $1 * $1 }
    case "LogSum": log(line.reduce(0, +))
    default: log(line.reduce(0) { $0 + exp($1) })
    }
  }

  private static func arg(_ node: ReferenceNode) -> ReferenceTensor {
    let x = node[0]
    let axis = node.axis(0)
    let keeps = node.node.int("keepdims", default: 1) != 0
    let last = node.node.int("select_last_index", default: 0) != 0
    var shape = x.shape
    shape[axis] = 1
    let full = ReferenceTensor.build(.int64, shape) { index in
      let line = along(x, index, [axis])
      let best = node.node.operatorType == "ArgMax" ? line.max() : line.min()
      return Double((last ? line.lastIndex { $0 == best } : line.firstIndex { $0 == best }) ?? 0)
    }
    if !keeps { shape.remove(at: axis) }
    return ReferenceTensor(.int64, shape, full.values)
  }

  /// The axes of an ellipsis are labelled with digits, the last one with 0.
  private static func einsum(_ node: ReferenceNode) -> ReferenceTensor? {
    let text = node.node.text("equation", default: "").filter { $0 != " " }.replacing("...", with: ".")
    let sides = text.split(separator: "->", omittingEmptySubsequences: false)
    let stated = sides[0].split(separator: ",", omittingEmptySubsequences: false)
    func digits(_ count: Int) -> String { String("9876543210".suffix(count)) }
    let hidden = zip(stated, node.given).map { $0.contains(".") ? $1.shape.count - $0.count + 1 : 0 }
    let terms = zip(stated, hidden).map { Array($0.replacing(".", with: digits($1))) }
    let letters = terms.joined().filter(\.isLetter)
    let implied = "." + String(Set(letters).filter { letter in letters.count { $0 == letter } == 1 }.sorted())
    let output = Array((sides.count > 1 ? String(sides[1]) : implied).replacing(".", with: digits(hidden.max() ?? 0)))
    var extents: [Character: Int] = [:]
    for (term, operand) in zip(terms, node.given) {
      for (label, extent) in zip(term, operand.shape) where extents[label] ?? 1 == 1 { extents[label] = extent }
    }
    let summed = extents.keys.filter { !output.contains($0) }.sorted()
    return .build(node[0].elementType, output.map { extents[$0] ?? 1 }) { index in
      ReferenceTensor.indices(summed.map { extents[$0] ?? 1 }).reduce(0) { sum, inner in
        let place = Dictionary(uniqueKeysWithValues: zip(output + summed, index + inner))
        return sum
          + zip(terms, node.given).reduce(1) { product, factor in
            product * factor.1.at(zip(factor.0, factor.1.shape).map { $1 == 1 ? 0 : place[$0] ?? 0 })
          }
      }
    }
  }
}
