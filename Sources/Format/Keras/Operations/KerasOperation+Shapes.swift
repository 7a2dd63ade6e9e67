/// Operations that rearrange a tensor.
extension KerasOperation {
  static let shapes: [KerasOperation] = [
    KerasOperation("Reshape", parameters: ["x", "newshape"]) { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(of: operation)
      let shape = try lowering.extents("newshape", of: operation) { axis in axis < rank ? 0 : -1 }
      return [try lowering.add("Reshape", [x, shape], in: operation.call)]
    },
    composed("Ravel", isFloat: false) { (lowering, x, call) throws(FormatError) in try lowering.flat(x, in: call) },
    KerasOperation("Transpose") { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(of: operation)
      let stated = try operation.ints("axes") ?? (0..<rank).reversed()
      let order = try stated.mapTyped { (axis) throws(FormatError) in try operation.axis(axis, rank: rank) }
      guard order.sorted() == Array(0..<rank) else {
        throw operation.error(.mismatch, "\(stated) is no order of \(rank) axes")
      }
      return [try lowering.transpose(x, order, in: operation.call)]
    },
    KerasOperation("Swapaxes") { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(of: operation)
      guard let first = try operation.int("axis1"), let second = try operation.int("axis2") else {
        throw operation.error(.malformed, "it names no two axes")
      }
      var order = Array(0..<rank)
      order.swapAt(try operation.axis(first, rank: rank), try operation.axis(second, rank: rank))
      return [try lowering.transpose(x, order, in: operation.call)]
    },
    KerasOperation("Moveaxis") { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(of: operation)
      guard let source = try operation.ints("source"), let target = try operation.ints("destination"),
        source.count == target.count
      else { throw operation.error(.malformed, "source and destination are not as many axes") }
      let from = try source.mapTyped { (axis) throws(FormatError) in try operation.axis(axis, rank: rank) }
      let to = try target.mapTyped { (axis) throws(FormatError) in try operation.axis(axis, rank: rank) }
      var order = (0..<rank).filter { !from.contains($0) }
      for (place, axis) in zip(to, from).sorted(by: { $0.0 < $1.0 }) { order.insert(axis, at: min(place, order.count)) }
      guard order.sorted() == Array(0..<rank) else { throw operation.error(.malformed, "it names an axis twice") }
      return [try lowering.transpose(x, order, in: operation.call)]
    },
    KerasOperation("Squeeze") { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(of: operation)
      let all = (0..<rank).filter { x.shape?[$0].value == 1 }
      let axes = try operation["axis"] == nil ? all : operation.axes(rank: rank)
      if axes.isEmpty { return [x] }
      let list = lowering.integers(axes, "axes", in: operation.call)
      return [try lowering.add("Squeeze", [x, list], in: operation.call)]
    },
    KerasOperation("ExpandDims") { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(of: operation)
      guard let stated = try operation.ints("axis") else { throw operation.error(.malformed, "it names no axis") }
      let axes = try operation.axes(rank: rank + stated.count)
      return [
        try lowering.add("Unsqueeze", [x, lowering.integers(axes, "axes", in: operation.call)], in: operation.call)
      ]
    },
    KerasOperation("Flip") { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(of: operation)
      let slices = try operation.axes(rank: rank).map { AxisSlice(axis: $0, start: nil, end: nil, step: -1) }
      return [try lowering.slice(x, slices, in: operation.call)]
    },
    KerasOperation("Roll") { (lowering, operation) throws(FormatError) in
      var (x, rank) = try lowering.ranked(of: operation)
      let (call, original) = (operation.call, x)
      guard let shift = try operation.int("shift") else {
        throw operation.error(.unsupported, "a shift of several axes cannot be run")
      }
      guard shift > .min else { throw operation.error(.limit, "it shifts by \(shift) places") }
      var axis = 0
      if let stated = try operation.int("axis") {
        axis = try operation.axis(stated, rank: rank)
      } else {
        (x, rank) = (try lowering.flat(x, in: call), 1)
      }
      if let extent = x.shape?[axis].value, extent > 0, shift % extent != 0 {
        let rest = shift % extent
        let cut = rest > 0 ? extent - rest : -rest
        let parts = try lowering.split(x, [cut, extent - cut], axis: axis, in: call)
        x = try lowering.concatenate([parts[1], parts[0]], axis: axis, in: call)
      } else if x.shape?[axis].value == nil {
        let tail = try lowering.slice(x, [AxisSlice(axis: axis, start: -shift, end: nil, step: 1)], in: call)
        let head = try lowering.slice(x, [AxisSlice(axis: axis, start: nil, end: -shift, step: 1)], in: call)
        if shift != 0 { x = try lowering.concatenate([tail, head], axis: axis, in: call) }
      }
      guard operation["axis"] == nil else { return [x] }
      return [try lowering.add("Reshape", [x, lowering.add("Shape", [original], in: call)], in: call)]
    },
    triangle("Tril", upper: false), triangle("Triu", upper: true),
  ]

  private static func triangle(_ name: String, upper: Bool) -> KerasOperation {
    KerasOperation(name) { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked(of: operation)
      let (diagonal, call) = (try operation.int("k") ?? 0, operation.call)
      guard lowering.operatorSetVersion < 14 else {
        let place = lowering.constant(Tensor([Int64(diagonal)], shape: []), "k", in: call)
        return [try lowering.add("Trilu", [x, place], in: call, attributes: [Attribute("upper", .int(upper ? 1 : 0))])]
      }
      // The operator is younger: a mask chooses the elements.
      guard rank >= 2, let rows = x.shape?[rank - 2].value, let columns = x.shape?[rank - 1].value,
        let count = checkedProduct([rows, columns]), count <= lowering.limits.freelyExpandedBytes
      else { throw operation.error(.unsupported, "a triangle of a matrix without fixed extents cannot be run") }
      var mask: [Bool] = []
      for row in 0..<rows {
        for column in 0..<columns { mask.append(upper ? column - row >= diagonal : column - row <= diagonal) }
      }
      let zero = try lowering.number(0, "zero", like: x, in: call)
      let isInside = lowering.constant(Tensor(mask, shape: [rows, columns]), "triangle", in: call)
      return [try lowering.add("Where", [isInside, x, zero], in: call)]
    }
  }
}

extension Lowering {
  /// A list of extents: of numbers, of `null` for what is not known, or of tensors that were computed from a shape.
  ///
  /// - Parameter unknown: the number that stands for an unknown extent at a place.
  mutating func extents(
    _ name: String, of operation: OperationCall, unknown: (Int) -> Int
  ) throws(FormatError) -> LoweredValue {
    let call = operation.call
    guard let argument = operation[name] else { throw operation.error(.malformed, "it has no \"\(name)\"") }
    if case .tensor(let value) = argument { return try cast(value, to: .int64, in: call) }
    let elements = argument.elements ?? [argument]
    var parts: [LoweredValue] = []
    var numbers: [Int] = []
    for (place, element) in elements.enumerated() {
      switch element {
      case .constant(.null): numbers.append(unknown(place))
      case .constant(let json):
        guard let number = json.int else {
          throw operation.error(.malformed, "\"\(name)\" holds \(json.text().prefix(40))")
        }
        numbers.append(number)
      case .tensor(let value):
        if !numbers.isEmpty { parts.append(integers(numbers, "extents", in: call)) }
        numbers = []
        parts.append(
          try add("Reshape", [cast(value, to: .int64, in: call), integers([1], "one", in: call)], in: call))
      case .list: throw operation.error(.malformed, "\"\(name)\" is a list of lists")
      }
    }
    if parts.isEmpty { return integers(numbers, "shape", in: call) }
    if !numbers.isEmpty { parts.append(integers(numbers, "extents", in: call)) }
    return try concatenate(parts, axis: 0, in: call)
  }

  /// Values one behind the other along an axis.
  mutating func concatenate(_ values: [LoweredValue], axis: Int, in call: LayerCall) throws(FormatError) -> LoweredValue
  {
    try add("Concat", values, in: call, attributes: [Attribute("axis", .int(Int64(axis)))])
  }
}
