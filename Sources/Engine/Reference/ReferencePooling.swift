import Glibc
import NNFormat

/// Pools of the reference: for every place of the result the list of elements under its window.
enum ReferencePooling {
  static func run(_ node: ReferenceNode) -> [ReferenceTensor]? {
    guard ["MaxPool", "AveragePool", "LpPool"].contains(node.node.operatorType) else { return nil }
    let x = node[0]
    let rank = x.shape.count - 2
    let kernel = node.node.ints("kernel_shape") ?? []
    let strides = node.node.ints("strides") ?? kernel.map { _ in 1 }
    let dilations = node.node.ints("dilations") ?? kernel.map { _ in 1 }
    var pads = node.node.ints("pads") ?? (kernel + kernel).map { _ in 0 }
    var shape = Array(x.shape.prefix(2))
    for axis in 0..<rank {
      let span = dilations[axis] * (kernel[axis] - 1) + 1
      let own = x.shape[axis + 2]
      switch node.node.text("auto_pad", default: "NOTSET") {
      case "SAME_UPPER", "SAME_LOWER":
        shape.append(Int(ceil(Double(own) / Double(strides[axis]))))
        let total = max((shape[axis + 2] - 1) * strides[axis] + span - own, 0)
        let isUpper = node.node.text("auto_pad", default: "") == "SAME_UPPER"
        pads[axis] = isUpper ? total / 2 : (total + 1) / 2
        pads[axis + rank] = total - pads[axis]
      default:
        let places = Double(own + pads[axis] + pads[axis + rank] - span) / Double(strides[axis]) + 1
        let rounds = node.node.int("ceil_mode", default: 0) != 0
        var count = Int(rounds ? ceil(places) : floor(places))
        if rounds, (count - 1) * strides[axis] >= own + pads[axis] { count -= 1 }
        shape.append(count)
      }
    }
    /// The places under a window, those of the padding included, those beyond it not.
    func window(_ index: [Int]) -> [[Int]] {
      ReferenceTensor.indices(kernel).map { step in
        (0..<rank).map { index[$0 + 2] * strides[$0] + step[$0] * dilations[$0] - pads[$0] }
      }.filter { place in (0..<rank).allSatisfy { place[$0] < x.shape[$0 + 2] + pads[$0 + rank] } }
    }
    func inside(_ index: [Int]) -> [[Int]] {
      window(index).filter { place in (0..<rank).allSatisfy { place[$0] >= 0 && place[$0] < x.shape[$0 + 2] } }
        .map { index.prefix(2) + $0 }
    }
    switch node.node.operatorType {
    case "MaxPool":
      let isColumnMajor = node.node.int("storage_order", default: 0) != 0
      let best = ReferenceTensor.build(.int64, shape) { index in
        let places = inside(index)
        let highest = places.map { x.at($0) }.max()
        let place = places.first { x.at($0) == highest } ?? []
        guard isColumnMajor else { return Double(x.offset(place)) }
        let channel = (place[0] * x.shape[1] + place[1]) * x.shape.dropFirst(2).reduce(1, *)
        return Double(channel + zip(place, x.shape).dropFirst(2).reversed().reduce(0) { $0 * $1.1 + $1.0 })
      }
      return [.build(x.elementType, shape) { index in inside(index).map { x.at($0) }.max() ?? 0 }, best]
    case "AveragePool":
      let includesPads = node.node.int("count_include_pad", default: 0) != 0
      return [
        .build(x.elementType, shape) { index in
          inside(index).reduce(0) { $0 + x.at($1) } / Double((includesPads ? window(index) : inside(index)).count)
        }
      ]
    default:
      let power = Double(node.node.int("p", default: 2))
      return [
        .build(x.elementType, shape) { index in
          pow(inside(index).reduce(0) { $0 + pow(abs(x.at($1)), power) }, 1 / power)
        }
      ]
    }
  }
}
