import Glibc
import NNFormat

/// Quantised operators of the reference: numbers to floats, the operator, floats to numbers.
enum ReferenceQuantisation {
  static func run(_ node: ReferenceNode) -> [ReferenceTensor]? {
    switch node.node.operatorType {
    case "QuantizeLinear": [quantize(node)]
    case "DequantizeLinear": [dequantize(node)]
    case "DynamicQuantizeLinear": dynamic(node[0])
    case "MatMulInteger": [product(node, 0, 2, 1, 3, .int32) { $2 }]
    case "QLinearMatMul": [qLinearMatMul(node)]
    case "DynamicQuantizeMatMul": [dynamicMatMul(node)]
    case "MatMulIntegerToFloat": [matMulToFloat(node)]
    case "QGemm": [gemm(node)]
    case "MatMulNBits": [matMulNBits(node)]
    case "QLinearAdd": [binary(node) { $0 + $1 }]
    case "QLinearMul": [binary(node) { $0 * $1 }]
    case "QLinearSigmoid": [unary(node) { 1 / (1 + exp(-$0)) }]
    case "QLinearLeakyRelu": [unary(node) { $0 < 0 ? node.alpha(0.01) * $0 : $0 }]
    case "QLinearSoftmax": [softmax(node)]
    case "QLinearConcat": [concat(node)]
    default: nil
    }
  }

  /// The ends of an integer type.
  private static func limits(_ type: ElementType) -> (Double, Double) {
    let steps = pow(2, Double(type.bitWidth ?? 8))
    let isSigned = [.int2, .int4, .int8, .int16, .int32].contains(type)
    return isSigned ? (-steps / 2, steps / 2 - 1) : (0, steps - 1)
  }

  /// A quotient as a number of a type; small floats round in the tensor itself.
  private static func code(_ quotient: Double, _ zero: Double, _ type: ElementType) -> Double {
    guard type.isInteger else { return quotient }
    let (low, high) = limits(type)
    return min(max(quotient.rounded(.toNearestOrEven) + zero, low), high)
  }

  /// Which of the scales belongs to an element.
  private static func scaleIndex(_ node: ReferenceNode, _ index: [Int]) -> [Int] {
    let scale = node[1]
    if scale.values.count == 1 { return Array(repeating: 0, count: scale.shape.count) }
    let axis = node.axis(1)
    let block = node.node.int("block_size", default: 0)
    if block == 0 { return [index[axis]] }
    var index = index
    index[axis] /= block
    return index
  }

  private static func zero(_ node: ReferenceNode, _ input: Int, _ position: Int = 0) -> Double {
    guard node.has(input) else { return 0 }
    return node[input].values[node[input].values.count == 1 ? 0 : position]
  }

  private static func quantize(_ node: ReferenceNode) -> ReferenceTensor {
    let stated = ElementType(rawValue: Int32(node.node.int("output_dtype", default: 0)))
    let type = node.has(2) ? node[2].elementType : stated ?? .uint8
    return .build(type, node[0].shape) { index in
      let position = node[1].offset(scaleIndex(node, index))
      let quotient = Float(node[0].at(index)) / Float(node[1].values[position])
      return code(Double(quotient), zero(node, 2, position), type)
    }
  }

  private static func dequantize(_ node: ReferenceNode) -> ReferenceTensor {
    let stated = ElementType(rawValue: Int32(node.node.int("output_dtype", default: 0)))
    return .build(stated ?? node[1].elementType, node[0].shape) { index in
      let position = node[1].offset(scaleIndex(node, index))
      return (node[0].at(index) - zero(node, 2, position)) * node[1].values[position]
    }
  }

  private static func dynamic(_ x: ReferenceTensor) -> [ReferenceTensor] {
    let (low, high) = (min(x.values.min() ?? 0, 0), max(x.values.max() ?? 0, 0))
    let scale = high == low ? 1 : Float(high - low) / 255
    let zero = code(-low / Double(scale), 0, .uint8)
    let codes = x.values.map { code(Double(Float($0) / scale), zero, .uint8) }
    return [
      ReferenceTensor(.uint8, x.shape, codes), ReferenceTensor(.float32, [], [Double(scale)]),
      ReferenceTensor(.uint8, [], [zero]),
    ]
  }

  /// finish(row, column, sum) for the sums of products of two operands, each less its zero points.
  private static func product(
    _ node: ReferenceNode, _ a: Int, _ zeroA: Int, _ b: Int, _ zeroB: Int, _ type: ElementType,
    _ finish: (Int, Int, Double) -> Double
  ) -> ReferenceTensor {
    product(node[a], node[b], { zero(node, zeroA, $0) }, { zero(node, zeroB, $0) }, type, finish)
  }

  private static func product(
    _ a: ReferenceTensor, _ b: ReferenceTensor, _ zeroA: (Int) -> Double, _ zeroB: (Int) -> Double,
    _ type: ElementType, _ finish: (Int, Int, Double) -> Double
  ) -> ReferenceTensor {
    let stack = ReferenceElementwise.common([Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2))])
    let (rows, depth, columns) = (a.shape[a.shape.count - 2], a.shape[a.shape.count - 1], b.shape[b.shape.count - 1])
    return .build(type, stack + [rows, columns]) { index in
      let (outer, row, column) = (Array(index.dropLast(2)), index[stack.count], index[stack.count + 1])
      let sum = (0..<depth).reduce(0.0) { sum, k in
        sum + (a.broadcastAt(outer + [row, k]) - zeroA(row)) * (b.broadcastAt(outer + [k, column]) - zeroB(column))
      }
      return finish(row, column, sum)
    }
  }

  private static func at(_ tensor: ReferenceTensor, _ position: Int) -> Double {
    tensor.values[tensor.values.count == 1 ? 0 : position]
  }

  private static func qLinearMatMul(_ node: ReferenceNode) -> ReferenceTensor {
    let type = node[7].elementType
    return product(node, 0, 2, 3, 5, type) { row, column, sum in
      code(sum * at(node[1], row) * at(node[4], column) / node[6].values[0], node[7].values[0], type)
    }
  }

  private static func dynamicMatMul(_ node: ReferenceNode) -> ReferenceTensor {
    let left = dynamic(node[0])
    return product(left[0], node[1], { _ in left[2].values[0] }, { zero(node, 3, $0) }, .float32) { _, column, sum in
      sum * left[1].values[0] * at(node[2], column) + zero(node, 4, column)
    }
  }

  private static func matMulToFloat(_ node: ReferenceNode) -> ReferenceTensor {
    product(node, 0, 4, 1, 5, node[2].elementType) { row, column, sum in
      sum * at(node[2], row) * at(node[3], column) + zero(node, 6, column)
    }
  }

  private static func transposed(_ x: ReferenceTensor) -> ReferenceTensor {
    .build(x.elementType, x.shape.reversed()) { x.at([$0[1], $0[0]]) }
  }

  private static func gemm(_ node: ReferenceNode) -> ReferenceTensor {
    let a = node.node.int("transA", default: 0) != 0 ? transposed(node[0]) : node[0]
    let b = node.node.int("transB", default: 0) != 0 ? transposed(node[3]) : node[3]
    let type = node.has(7) ? (node.has(8) ? node[8].elementType : a.elementType) : .float32
    return product(a, b, { zero(node, 2, $0) }, { zero(node, 5, $0) }, type) { row, column, sum in
      let offset = node.has(6) ? node[6].broadcastAt([row, column]) : 0
      let value = (sum + offset) * node.alpha(1) * node[1].values[0] * at(node[4], column)
      return node.has(7) ? code(value / node[7].values[0], zero(node, 8), type) : value
    }
  }

  private static func matMulNBits(_ node: ReferenceNode) -> ReferenceTensor {
    let (depth, columns) = (node.node.int("K", default: 1), node.node.int("N", default: 1))
    let (bits, size) = (node.node.int("bits", default: 4), node.node.int("block_size", default: 32))
    let blocks = (depth + size - 1) / size
    func unpacked(_ bytes: ReferenceTensor, _ start: Int, _ index: Int) -> Double {
      Double(Int(bytes.values[start + index * bits / 8]) >> (index * bits % 8) & (1 << bits - 1))
    }
    let x = node[0]
    return .build(x.elementType, Array(x.shape.dropLast()) + [columns]) { index in
      let column = index[index.count - 1]
      let sum = (0..<depth).reduce(0.0) { sum, k in
        let block = node.has(4) ? node[4].ints[k] : k / size
        let zeroBytes = (blocks * bits + 7) / 8
        let zero =
          !node.has(3)
          ? Double(1 << (bits - 1))
          : node[3].elementType == .uint8
            ? unpacked(node[3], column * zeroBytes, block) : node[3].values[column * blocks + block]
        let weight = unpacked(node[1], column * blocks * size * bits / 8, k) - zero
        return sum + x.at(index.dropLast() + [k]) * weight * node[2].values[column * blocks + block]
      }
      return sum + zero(node, 5, column)
    }
  }

  private static func binary(_ node: ReferenceNode, _ function: (Double, Double) -> Double) -> ReferenceTensor {
    .build(node[0].elementType, ReferenceElementwise.common([node[0].shape, node[3].shape])) { index in
      let x = (node[0].broadcastAt(index) - zero(node, 2)) * node[1].values[0]
      let y = (node[3].broadcastAt(index) - zero(node, 5)) * node[4].values[0]
      return code(function(x, y) / node[6].values[0], zero(node, 7), node[0].elementType)
    }
  }

  private static func unary(_ node: ReferenceNode, _ function: (Double) -> Double) -> ReferenceTensor {
    ReferenceTensor(
      node[0].elementType, node[0].shape,
      node[0].values.map { value in
        let x = (value - zero(node, 2)) * node[1].values[0]
        return code(function(x) / node[3].values[0], zero(node, 4), node[0].elementType)
      })
  }

  private static func softmax(_ node: ReferenceNode) -> ReferenceTensor {
    let x = node[0]
    let isOld = node.node.int("opset", default: 13) < 13
    let axis = node.axis(isOld ? 1 : -1)
    let axes = isOld ? Array(axis..<max(axis, x.shape.count)) : [axis]
    let scale = node[1].values[0]
    return .build(x.elementType, x.shape) { index in
      let line = ReferenceAlgebra.along(x, index, axes)
      let highest = line.max() ?? 0
      let share = exp((x.at(index) - highest) * scale) / line.reduce(0) { $0 + exp(($1 - highest) * scale) }
      return code(share * (1 / node[3].values[0]).rounded(.down), zero(node, 4), x.elementType)
    }
  }

  private static func concat(_ node: ReferenceNode) -> ReferenceTensor {
    let operands = stride(from: 2, to: node.inputs.count, by: 3).map { $0 }
    var shape = node[2].shape
    let axis = (node.node.int("axis", default: 0) + shape.count) % shape.count
    shape[axis] = operands.reduce(0) { $0 + node[$1].shape[axis] }
    return .build(node[2].elementType, shape) { index in
      var index = index
      var operand = 2
      while index[axis] >= node[operand].shape[axis] {
        index[axis] -= node[operand].shape[axis]
        operand += 3
      }
      let value = (node[operand].at(index) - zero(node, operand + 2)) * node[operand + 1].values[0]
      return code(value / node[0].values[0], zero(node, 1), node[2].elementType)
    }
  }
}
