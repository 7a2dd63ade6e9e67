extension ONNXEncoder {
  func write(_ attribute: Attribute, into writer: inout WireWriter) throws(FormatError) {
    let unknown = attribute.unknownFields
    let value: AttributeValue? = attribute.referencedName.isEmpty ? attribute.value : nil
    writer.text(1, attribute.name, unknown)
    writeScalars(value, unknown, into: &writer)
    switch value {
    case .tensor(let tensor): try write(tensor, 5, into: &writer)
    case .graph(let graph): try write(graph, 6, into: &writer)
    case .floats(let values): for value in values { writer.float(7, value) }
    case .ints(let values): for value in values { writer.number(8, value) }
    case .strings(let values): for value in values { writer.bytes(9, value) }
    case .tensors(let tensors): for tensor in tensors { try write(tensor, 10, into: &writer) }
    case .graphs(let graphs): for graph in graphs { try write(graph, 11, into: &writer) }
    default: break
    }
    writer.text(13, attribute.docString, unknown)
    switch value {
    case .type(let type): write([type], 14, unknown, into: &writer)
    case .types(let types): write(types, 15, unknown, into: &writer)
    default: break
    }
    if unknown.states(20, true) { writer.number(20, Int64(attribute.value.kind.protobufType)) }
    writer.text(21, attribute.referencedName, unknown)
    switch value {
    case .sparseTensor(let tensor): try write(tensor, 22, into: &writer)
    case .sparseTensors(let tensors): for tensor in tensors { try write(tensor, 23, into: &writer) }
    default: break
    }
    writer.unknown(unknown)
  }

  /// The fields `f`, `i` and `s`: the value when it is of that kind, or a default that the file stated beside another.
  private func writeScalars(_ value: AttributeValue?, _ unknown: UnknownFields, into writer: inout WireWriter) {
    if case .float(let value) = value {
      if value.bitPattern != 0 || unknown.states(2, true) { writer.float(2, value) }
    } else if unknown.states(2, false) {
      writer.float(2, 0)
    }
    if case .int(let value) = value {
      writer.int(3, Int(value), unknown, stated: true)
    } else if unknown.states(3, false) {
      writer.number(3, 0)
    }
    if case .string(let value) = value {
      if !value.isEmpty || unknown.states(4, true) { writer.bytes(4, value) }
    } else if unknown.states(4, false) {
      writer.bytes(4, [])
    }
  }

  private func write(_ types: [ValueType], _ field: UInt32, _ unknown: UnknownFields, into writer: inout WireWriter) {
    for (index, type) in types.enumerated() {
      let stated = unknown.statedTypes.count == types.count ? unknown.statedTypes[index] : nil
      let isCurrent = stated.map { ONNXTypes.type(encoded: $0) == type } ?? false
      writer.bytes(field, isCurrent ? stated ?? [] : ONNXTypes.encode(type))
    }
  }

  private func write(_ tensor: Tensor, _ field: UInt32, into writer: inout WireWriter) throws(FormatError) {
    try writer.message(field) { (inner) throws(FormatError) in try write(tensor, name: tensor.name, into: &inner) }
  }

  private func write(_ graph: Graph, _ field: UInt32, into writer: inout WireWriter) throws(FormatError) {
    try writer.message(field) { (inner) throws(FormatError) in try write(graph, into: &inner) }
  }

  private func write(_ tensor: SparseTensor, _ field: UInt32, into writer: inout WireWriter) throws(FormatError) {
    try writer.message(field) { (inner) throws(FormatError) in
      try write(tensor, name: tensor.values.name, into: &inner)
    }
  }
}
