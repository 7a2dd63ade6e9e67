/// Turns a `Model` into protobuf wire format, fields in the order of their numbers, so that the same model gives the
/// same bytes.
struct ONNXEncoder {
  /// Where the elements of initializers go.
  enum Placement {
    /// Into the file itself.
    case inside
    /// Where they are: a tensor that was read from another file goes on referring to it.
    case kept
    /// Into another file, as far as they are large.
    case outside(ExternalDataLayout)
  }

  let placement: Placement

  func encode(_ model: Model) throws(FormatError) -> WireWriter {
    var writer = WireWriter()
    let unknown = model.unknownFields
    writer.int(1, model.irVersion, unknown)
    writer.text(2, model.producerName, unknown)
    writer.text(3, model.producerVersion, unknown)
    writer.text(4, model.domain, unknown)
    writer.int(5, model.modelVersion, unknown)
    writer.text(6, model.docString, unknown)
    try writer.message(7) { (inner) throws(FormatError) in try write(model.graph, into: &inner) }
    for operatorSet in model.operatorSets { write(operatorSet, 8, into: &writer) }
    writer.dictionary(14, model.metadata)
    for info in model.trainingInfo {
      try writer.message(20) { (inner) throws(FormatError) in try write(info, into: &inner) }
    }
    for function in model.functions {
      try writer.message(25) { (inner) throws(FormatError) in try write(function, into: &inner) }
    }
    writer.unknown(unknown)
    return writer
  }

  private func write(_ operatorSet: OperatorSetImport, _ field: UInt32, into writer: inout WireWriter) {
    writer.message(field) {
      $0.text(1, operatorSet.domain, operatorSet.unknownFields)
      $0.int(2, operatorSet.version, operatorSet.unknownFields, stated: true)
      $0.unknown(operatorSet.unknownFields)
    }
  }

  private func write(_ info: TrainingInfo, into writer: inout WireWriter) throws(FormatError) {
    if let graph = info.initialization {
      try writer.message(1) { (inner) throws(FormatError) in try write(graph, into: &inner) }
    }
    if let graph = info.algorithm {
      try writer.message(2) { (inner) throws(FormatError) in try write(graph, into: &inner) }
    }
    writer.dictionary(3, info.initializationBindings)
    writer.dictionary(4, info.updateBindings)
    writer.unknown(info.unknownFields)
  }

  private func write(_ function: Function, into writer: inout WireWriter) throws(FormatError) {
    let unknown = function.unknownFields
    writer.text(1, function.name, unknown)
    writer.texts(4, function.inputs)
    writer.texts(5, function.outputs)
    writer.texts(6, function.attributeNames)
    try write(function.nodes, 7, into: &writer)
    writer.text(8, function.docString, unknown)
    for operatorSet in function.operatorSets { write(operatorSet, 9, into: &writer) }
    writer.text(10, function.domain, unknown)
    for attribute in function.attributes {
      try writer.message(11) { (inner) throws(FormatError) in try write(attribute, into: &inner) }
    }
    write(function.valueInfo, 12, into: &writer)
    writer.text(13, function.overload, unknown)
    writer.dictionary(14, function.metadata)
    writer.unknown(unknown)
  }
}
