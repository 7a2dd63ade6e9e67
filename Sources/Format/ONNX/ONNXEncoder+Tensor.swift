extension ONNXEncoder {
  /// Writes a tensor. Only initializers may go into another file: readers do not look for attributes there.
  func write(
    _ tensor: Tensor, name: String, mayGoOutside: Bool = false, into writer: inout WireWriter
  ) throws(FormatError) {
    let unknown = tensor.unknownFields
    let target = place(tensor, mayGoOutside: mayGoOutside)
    for extent in tensor.shape { writer.number(1, Int64(extent)) }
    writer.number(2, Int64(tensor.elementType.rawValue))
    if let segment = tensor.encoding.segment { writer.bytes(3, segment) }
    if target.placement == .typed, [.float, .int32, .string, .int64].contains(TypedElements.Field(tensor.elementType)) {
      try writeTyped(tensor, into: &writer)
    }
    writer.text(8, name, unknown)
    if target.placement == .raw {
      writer.payload(9, tensor)
    } else if unknown.states(9, false) {
      writer.bytes(9, [])
    }
    if target.placement == .typed, [.double, .uint64].contains(TypedElements.Field(tensor.elementType)) {
      try writeTyped(tensor, into: &writer)
    }
    writer.text(12, tensor.docString, unknown)
    writer.dictionary(13, target.entries)
    if target.placement == .external {
      writer.number(14, 1)
    } else if unknown.states(14, false) {
      writer.number(14, 0)
    }
    writer.dictionary(16, tensor.metadata)
    writer.unknown(unknown)
  }

  func write(_ sparse: SparseTensor, name: String, into writer: inout WireWriter) throws(FormatError) {
    try writer.message(1) { (inner) throws(FormatError) in try write(sparse.values, name: name, into: &inner) }
    try writer.message(2) { (inner) throws(FormatError) in
      try write(sparse.indices, name: sparse.indices.name, into: &inner)
    }
    for extent in sparse.shape { writer.number(3, Int64(extent)) }
    writer.unknown(sparse.unknownFields)
  }

  private func place(
    _ tensor: Tensor, mayGoOutside: Bool
  ) -> (placement: TensorEncoding.Placement, entries: TextDictionary) {
    let encoding = tensor.encoding
    if case .kept = placement, encoding.placement == .external { return (.external, encoding.externalData) }
    if case .outside(let layout) = placement, mayGoOutside, let entries = layout.add(tensor) {
      return (.external, entries)
    }
    let isTyped = encoding.placement == .typed || tensor.elementType == .string
    return (isTyped ? .typed : .raw, encoding.placement == .external ? [:] : encoding.externalData)
  }

  private func writeTyped(_ tensor: Tensor, into writer: inout WireWriter) throws(FormatError) {
    let field = TypedElements.Field(tensor.elementType)
    if case .strings(let strings) = tensor.storage {
      for string in strings { writer.bytes(field.rawValue, string) }
      return
    }
    guard tensor.count > 0 else { return }
    switch field {
    case .float, .double: writer.payload(field.rawValue, tensor)
    default:
      writer.bytes(
        field.rawValue,
        try unsafe tensor.withBytes { bytes in unsafe TypedElements.packedNumbers(tensor, bytes) })
    }
  }
}
