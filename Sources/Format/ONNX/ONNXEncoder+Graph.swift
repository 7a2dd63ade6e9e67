extension ONNXEncoder {
  func write(_ graph: Graph, into writer: inout WireWriter) throws(FormatError) {
    let unknown = graph.unknownFields
    try write(graph.nodes, 1, into: &writer)
    writer.text(2, graph.name, unknown)
    for initializer in graph.initializers {
      try writer.message(5) { (inner) throws(FormatError) in
        try write(initializer.tensor, name: initializer.name, mayGoOutside: true, into: &inner)
      }
    }
    writer.text(10, graph.docString, unknown)
    write(graph.inputs, 11, into: &writer)
    write(graph.outputs, 12, into: &writer)
    write(graph.valueInfo, 13, into: &writer)
    for annotation in graph.quantizationAnnotations {
      writer.message(14) {
        $0.text(1, annotation.tensorName, annotation.unknownFields)
        $0.dictionary(2, annotation.parameters)
        $0.unknown(annotation.unknownFields)
      }
    }
    for (name, tensor) in graph.sparseInitializers {
      try writer.message(15) { (inner) throws(FormatError) in try write(tensor, name: name, into: &inner) }
    }
    writer.dictionary(16, graph.metadata)
    writer.unknown(unknown)
  }

  func write(_ values: [Value], _ field: UInt32, into writer: inout WireWriter) {
    for value in values {
      writer.message(field) {
        $0.text(1, value.name, value.unknownFields)
        if let stated = value.unknownFields.statedTypes.first, ONNXTypes.type(encoded: stated) == value.type {
          $0.bytes(2, stated)
        } else if let type = value.type {
          $0.bytes(2, ONNXTypes.encode(type))
        }
        $0.text(3, value.docString, value.unknownFields)
        $0.dictionary(4, value.metadata)
        $0.unknown(value.unknownFields)
      }
    }
  }

  func write(_ nodes: [Node], _ field: UInt32, into writer: inout WireWriter) throws(FormatError) {
    for node in nodes {
      try writer.message(field) { (inner) throws(FormatError) in try write(node, into: &inner) }
    }
  }

  private func write(_ node: Node, into writer: inout WireWriter) throws(FormatError) {
    let unknown = node.unknownFields
    writer.texts(1, node.inputs)
    writer.texts(2, node.outputs)
    writer.text(3, node.name, unknown)
    writer.text(4, node.operatorType, unknown)
    for attribute in node.attributes {
      try writer.message(5) { (inner) throws(FormatError) in try write(attribute, into: &inner) }
    }
    writer.text(6, node.docString, unknown)
    writer.text(7, node.domain, unknown)
    writer.text(8, node.overload, unknown)
    writer.dictionary(9, node.metadata)
    writer.unknown(unknown)
  }
}
