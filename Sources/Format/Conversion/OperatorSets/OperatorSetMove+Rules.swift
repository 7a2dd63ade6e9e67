/// The forms of single operators.
extension OperatorSetMove {
  /// Gives a node the form of the target version. What it does not touch has to be right already.
  mutating func rewrite(_ node: inout Node) throws(FormatError) {
    switch node.operatorType {
    case "Softmax", "LogSoftmax", "Hardmax": return try normalize(&node)
    case "Split": try split(&node)
    case "Shape": try shape(&node)
    case "Concat" where from < 4:
      if node.attribute("axis") == nil { node.attributes.append(Attribute("axis", .int(1))) }
    case "Cast" where from < 6: try cast(&node)
    case "BatchNormalization": try batchNormalization(&node)
    case "Dropout": try dropout(node)
    case "Pad": try pad(&node)
    case "GridSample" where min(from, to) < 20 && max(from, to) >= 20: gridSample(&node)
    case "GroupNormalization", "Resize", "Scan":
      if OperatorChanges.isHidden(node.operatorType, from: from, to: to) {
        throw error(node, "\(node.operatorType) means something else in operator set \(to)")
      }
    default: break
    }
    for move in OperatorChanges.moves(of: node.operatorType) {
      if from < move.since, to >= move.since {
        try makeInput(move.input, of: move.attribute, &node)
      } else if from >= move.since, to < move.since {
        try makeAttribute(move.attribute, of: move.input, &node)
      }
    }
    dropNeutral(&node)
  }

  /// Moves a parameter from an attribute to an input.
  private mutating func makeInput(_ index: Int, of name: String, _ node: inout Node) throws(FormatError) {
    guard let value = node.removeAttribute(name) else { return }
    let tensor: Tensor
    switch value {
    case .ints(let values): tensor = Tensor(values)
    case .int(let value): tensor = Tensor([value])
    case .float(let value):
      // The ratio of Dropout may be of any type, bounds and fillings are of the data's.
      var type = ElementType.float32
      if node.operatorType != "Dropout" {
        guard let known = node.input(0).flatMap({ types[$0]?.elementType }) else {
          throw error(node, "the element type of its input is not known")
        }
        type = known
      }
      tensor = try Tensor([value], shape: []).converted(to: type)
    default: throw error(node, "its attribute \(name) is of another kind")
    }
    node.setInput(index, to: add(tensor, name, of: node))
  }

  /// Moves a parameter from an input, which has to be constant, to an attribute.
  private mutating func makeAttribute(_ name: String, of index: Int, _ node: inout Node) throws(FormatError) {
    let keepsAll = node.removeAttribute("noop_with_empty_axes")
    guard let input = node.input(index) else {
      if case .int(1) = keepsAll { (node.operatorType, node.attributes) = ("Identity", []) }
      return
    }
    let values = try integers(index, of: node)
    release(input)
    node.removeInput(index)
    if values.isEmpty {
      if case .int(1) = keepsAll { (node.operatorType, node.attributes) = ("Identity", []) }
    } else {
      node.attributes.append(Attribute(name, .ints(values)))
    }
  }

  /// Takes away attributes that the target does not know and that say what it does anyway.
  private func dropNeutral(_ node: inout Node) {
    guard let schema = OperatorRegistry.schema(node.operatorType, version: to) else { return }
    let known = Set(schema.attributes.map(\.name))
    let neutral = OperatorChanges.neutral(node.operatorType)
    let type = node.input(0).flatMap { types[$0]?.elementType }
    node.attributes.removeAll { attribute in
      guard !known.contains(attribute.name), let value = neutral[attribute.name] else { return false }
      // Saturation and rounding concern 8-bit floats alone, which the types refuse where they are not known.
      if ["saturate", "round_mode"].contains(attribute.name), type != nil { return true }
      return attribute.value.isSame(as: value)
    }
  }

  /// Before version 13 the axes from `axis` on were one. Where that is more than the last axis, the tensor is made flat and
  /// gets its shape back behind the node.
  private mutating func normalize(_ node: inout Node) throws(FormatError) {
    guard from < 13, to >= 13 else { return }
    let axis = node.int("axis", default: 1)
    guard let rank = node.input(0).flatMap({ types[$0]?.shape?.rank }) else {
      throw error(node, "the rank of its input is not known")
    }
    let first = axis < 0 ? axis + rank : axis
    _ = node.removeAttribute("axis")
    guard first != rank - 1 else {
      node.attributes.append(Attribute("axis", .int(-1)))
      return
    }
    guard (0...rank).contains(first), let input = node.inputs.first, let output = node.outputs.first else {
      throw error(node, "its axis \(axis) is none of \(rank)")
    }
    let (flat, extents, result) = (fresh("\(output)_flat"), fresh("\(output)_shape"), fresh("\(output)_rows"))
    before = [
      Node("Shape", inputs: [input], outputs: [extents]),
      Node("Flatten", inputs: [input], outputs: [flat], attributes: [Attribute("axis", .int(Int64(first)))]),
    ]
    after = [Node("Reshape", inputs: [result, extents], outputs: [output])]
    (node.inputs, node.outputs) = ([flat], [result])
    node.attributes.append(Attribute("axis", .int(-1)))
  }

  /// From version 18 on equal parts are counted; before, they divide the axis without a remainder.
  private mutating func split(_ node: inout Node) throws(FormatError) {
    if from < 18, to >= 18, node.input(1) == nil, node.attribute("split") == nil {
      node.attributes.append(Attribute("num_outputs", .int(Int64(node.outputs.count))))
    } else if from >= 18, to < 18, case .int(let parts) = node.removeAttribute("num_outputs") {
      let shape = node.input(0).flatMap { types[$0]?.shape }
      let axis = node.int("axis", default: 0)
      guard let shape, shape.rank > 0,
        let extent = shape[axis < 0 ? max(axis + shape.rank, 0) : min(axis, shape.rank - 1)].value
      else { throw error(node, "the extent of the axis that it divides is not known") }
      guard parts == node.outputs.count else {
        throw error(node, "it states \(parts) parts and has \(node.outputs.count) outputs")
      }
      guard parts > 0, extent > 0, extent % Int(parts) != 0 else { return }
      let size = (extent - 1) / Int(parts) + 1
      var rest = extent
      let sizes = node.outputs.map { _ in
        let part = min(size, rest)
        rest -= part
        return Int64(part)
      }
      node.setInput(1, to: add(Tensor(sizes), "split", of: node))
    }
  }

  /// A part of a shape is the whole and a slice of it before version 15.
  private mutating func shape(_ node: inout Node) throws(FormatError) {
    guard from >= 15, to < 15, let output = node.outputs.first else { return }
    let (start, end) = (node.removeAttribute("start"), node.removeAttribute("end"))
    guard start != nil || end != nil else { return }
    func value(_ bound: AttributeValue?, default fallback: Int64) -> Int64 {
      if case .int(let value) = bound { value } else { fallback }
    }
    let starts = add(Tensor([value(start, default: 0)]), "start", of: node)
    let ends = add(Tensor([value(end, default: .max)]), "end", of: node)
    let whole = fresh("\(output)_whole")
    node.outputs = [whole]
    after = [Node("Slice", inputs: [whole, starts, ends], outputs: [output])]
  }

  private func cast(_ node: inout Node) throws(FormatError) {
    let name = node.text("to", default: "")
    guard let type = ElementType(standardName: name) else {
      throw error(node, "\"\(name)\" is not an element type")
    }
    _ = node.removeAttribute("to")
    node.attributes.append(Attribute("to", .int(Int64(type.rawValue))))
  }

  /// Training gives other outputs from version 14 on.
  private func batchNormalization(_ node: inout Node) throws(FormatError) {
    let isCrossing = (from < 14) != (to < 14)
    guard isCrossing || from < 9 else { return }
    guard node.outputs.dropFirst().allSatisfy(\.isEmpty) else {
      throw error(node, "its outputs for training are others in operator set \(to)")
    }
    if from < 7, node.int("is_test", default: 0) == 0 {
      throw error(node, "it normalises as in training, which operator set \(to) says in another way")
    }
    node.outputs = Array(node.outputs.prefix(1))
  }

  private func dropout(_ node: Node) throws(FormatError) {
    if from < 10, to >= 10, node.outputs.count > 1, node.outputs[1] != "" {
      throw error(node, "its mask is of another type in operator set \(to)")
    }
    if from < 7, node.int("is_test", default: 0) == 0 {
      throw error(node, "it drops as in training, which operator set \(to) says in another way")
    }
  }

  private func pad(_ node: inout Node) throws(FormatError) {
    if from >= 18, to < 18, node.input(3) != nil {
      throw error(node, "operator set \(to) pads all axes, and it names some")
    }
    if from >= 19, to < 19, node.text("mode", default: "constant") == "wrap" {
      throw error(node, "operator set \(to) does not wrap around")
    }
  }

  /// Two modes have other names from version 20 on.
  private func gridSample(_ node: inout Node) {
    let names = [("bilinear", "linear"), ("bicubic", "cubic")]
    let mode = node.text("mode", default: to >= 20 ? "bilinear" : "linear")
    for (old, new) in names where mode == (to >= 20 ? old : new) {
      _ = node.removeAttribute("mode")
      node.attributes.append(Attribute("mode", .text(to >= 20 ? new : old)))
    }
  }
}

extension AttributeValue {
  fileprivate func isSame(as other: AttributeValue) -> Bool {
    switch (self, other) {
    case (.int(let one), .int(let other)): one == other
    case (.string(let one), .string(let other)): one == other
    default: false
    }
  }
}
