/// A part of an axis, as Python's slices state it; absent ends reach to the end that the step comes to.
struct AxisSlice {
  var axis: Int
  var start: Int?
  var end: Int?
  var step: Int
}

/// Operations that choose elements.
extension KerasOperation {
  static let indexing: [KerasOperation] = [
    KerasOperation("GetItem", parameters: ["x", "key"]) { (lowering, operation) throws(FormatError) in
      [try item(&lowering, operation)]
    },
    KerasOperation("Take", parameters: ["x", "indices"]) { (lowering, operation) throws(FormatError) in
      var (x, rank) = try lowering.ranked(of: operation)
      let call = operation.call
      var axis = 0
      if let stated = try operation.int("axis") {
        axis = try operation.axis(stated, rank: rank)
      } else {
        x = try lowering.flat(x, in: call)
      }
      let operand = try lowering.operand("indices", of: operation)
      return [
        try lowering.gather(x, lowering.value(operand, as: .int64, "indices", in: operation), axis: axis, in: call)
      ]
    },
    KerasOperation("TakeAlongAxis", parameters: ["x", "indices"]) { (lowering, operation) throws(FormatError) in
      var (x, rank) = try lowering.ranked(of: operation)
      let call = operation.call
      var axis = 0
      if let stated = try operation.int("axis") {
        axis = try operation.axis(stated, rank: rank)
      } else {
        x = try lowering.flat(x, in: call)
      }
      let indices = try lowering.value(
        lowering.operand("indices", of: operation), as: .int64, "indices", in: operation)
      for place in 0..<rank where place != axis {
        guard let extent = x.shape?[place], extent == indices.shape?[place] else {
          throw operation.error(.unsupported, "its indices are broadcast, which cannot be run")
        }
      }
      return [
        try lowering.add(
          "GatherElements", [x, indices], in: call, attributes: [Attribute("axis", .int(Int64(axis)))])
      ]
    },
    KerasOperation("OneHot") { (lowering, operation) throws(FormatError) in [try oneHot(&lowering, operation)] },
    // Keras joins the rows along the first axis behind the batch, whatever axis the classes are on.
    KerasOperation("MultiHot") { (lowering, operation) throws(FormatError) in
      let rows = try oneHot(&lowering, operation)
      let axis = (rows.rank ?? 2) > 2 ? 1 : 0
      return [try lowering.reduce("ReduceMax", rows, [axis], false, in: operation.call)]
    },
    KerasOperation("Slice", parameters: ["inputs", "start_indices"]) { (lowering, operation) throws(FormatError) in
      let (x, rank) = try lowering.ranked("inputs", of: operation)
      guard let starts = try operation.ints("start_indices"), let shape = try operation.ints("shape"),
        starts.count == rank, shape.count == rank
      else { throw operation.error(.mismatch, "start_indices and shape do not fit \(rank) axes") }
      let slices = (0..<rank).compactMap { axis -> AxisSlice? in
        if starts[axis] == 0, shape[axis] == -1 || shape[axis] == x.shape?[axis].value { return nil }
        let (end, overflow) = starts[axis].addingReportingOverflow(shape[axis])
        return AxisSlice(axis: axis, start: starts[axis], end: shape[axis] < 0 || overflow ? nil : end, step: 1)
      }
      return [try lowering.slice(x, slices, in: operation.call)]
    },
    composed("Shape", isFloat: false) { (lowering, x, call) throws(FormatError) in
      try lowering.cast(lowering.add("Shape", [x], in: call), to: .int32, in: call)
    },
  ]

  /// Classes as rows with a one; indices that are no class give rows of zeros.
  private static func oneHot(_ lowering: inout Lowering, _ operation: OperationCall) throws(FormatError) -> LoweredValue
  {
    let (x, rank) = try lowering.ranked(of: operation)
    let call = operation.call
    guard let count = try operation.int("num_classes"), count > 0 else {
      throw operation.error(.malformed, "it has no number of classes")
    }
    if try operation.bool("sparse") { throw operation.error(.unsupported, "sparse tensors cannot be run") }
    let type = try operation.elementType() ?? .float32
    let stated = try operation.int("axis") ?? -1
    let axis = try operation.axis(stated, rank: rank + 1)
    // ONNX counts negative indices from the end, Keras has no row for them: each index is compared with every class.
    let indices = try lowering.cast(x, to: .int64, in: call, suffix: "indices")
    let column = try lowering.add("Unsqueeze", [indices, lowering.integers([axis], "axes", in: call)], in: call)
    var shape = [Int](repeating: 1, count: rank + 1)
    shape[axis] = count
    guard count <= lowering.limits.freelyExpandedBytes / 8 else {
      throw operation.error(.limit, "it has too many classes")
    }
    let classes = lowering.constant(Tensor((0..<count).map(Int64.init), shape: shape), "classes", in: call)
    return try lowering.cast(lowering.add("Equal", [column, classes], in: call), to: type, in: call)
  }

  /// `x[key]` with numbers, slices, `...` and new axes.
  private static func item(_ lowering: inout Lowering, _ operation: OperationCall) throws(FormatError) -> LoweredValue {
    let (x, rank) = try lowering.ranked(of: operation)
    guard let key = operation["key"] else { throw operation.error(.missing, "it has no key") }
    let parts = key.elements ?? [key]
    let fixed = parts.count { !isEllipsis($0) && !isNewAxis($0) }
    let ellipses = parts.count(where: isEllipsis)
    guard fixed <= rank, ellipses <= 1 else { throw operation.error(.mismatch, "its key does not fit \(rank) axes") }
    var axis = 0
    var slices: [AxisSlice] = []
    var (dropped, added): ([Int], [Int]) = ([], [])
    var position = 0
    for part in parts {
      if isEllipsis(part) {
        axis += rank - fixed
        position += rank - fixed
        continue
      }
      if isNewAxis(part) {
        added.append(position)
        position += 1
        continue
      }
      guard case .constant(let json) = part else {
        throw operation.error(.unsupported, "its key holds a tensor or a list, which cannot be run")
      }
      if let index = json.int {
        guard index < .max else { throw operation.error(.mismatch, "its key names the place \(index)") }
        slices.append(AxisSlice(axis: axis, start: index, end: index == -1 ? nil : index + 1, step: 1))
        dropped.append(axis)
      } else {
        let bounds = json["config"] ?? json
        guard bounds["start"] != nil || bounds["stop"] != nil || bounds["step"] != nil else {
          throw operation.error(.unsupported, "its key \(json.text().prefix(60)) cannot be run")
        }
        let slice = AxisSlice(
          axis: axis, start: bounds["start"]?.int, end: bounds["stop"]?.int, step: bounds["step"]?.int ?? 1)
        if slice.start != nil || slice.end != nil || slice.step != 1 { slices.append(slice) }
        position += 1
      }
      axis += 1
    }
    var value = try lowering.slice(x, slices, in: operation.call)
    if !dropped.isEmpty {
      value = try lowering.add(
        "Squeeze", [value, lowering.integers(dropped, "dropped", in: operation.call)], in: operation.call)
    }
    if !added.isEmpty {
      value = try lowering.add(
        "Unsqueeze", [value, lowering.integers(added, "added", in: operation.call)], in: operation.call)
    }
    return value
  }

  private static func isEllipsis(_ part: OperationArgument) -> Bool {
    if case .constant(let json) = part { json["class_name"]?.string == "__ellipsis__" } else { false }
  }

  private static func isNewAxis(_ part: OperationArgument) -> Bool {
    if case .constant(.null) = part { true } else { false }
  }
}

extension Lowering {
  /// Parts of several axes.
  mutating func slice(_ value: LoweredValue, _ slices: [AxisSlice], in call: LayerCall) throws(FormatError)
    -> LoweredValue
  {
    if slices.isEmpty { return value }
    guard slices.allSatisfy({ $0.step != 0 }) else { throw call.error(.malformed, "it slices in steps of 0") }
    let starts = slices.map { $0.start ?? ($0.step > 0 ? 0 : Int(Int32.max)) }
    let ends = slices.map { $0.end ?? ($0.step > 0 ? Int(Int32.max) : Int(Int32.min)) }
    return try add(
      "Slice",
      [
        value, integers(starts, "starts", in: call), integers(ends, "ends", in: call),
        integers(slices.map(\.axis), "axes", in: call), integers(slices.map(\.step), "steps", in: call),
      ], in: call)
  }

  /// Elements by their places along an axis.
  mutating func gather(_ value: LoweredValue, _ indices: LoweredValue, axis: Int, in call: LayerCall)
    throws(FormatError) -> LoweredValue
  {
    try add("Gather", [value, indices], in: call, attributes: [Attribute("axis", .int(Int64(axis)))])
  }
}
