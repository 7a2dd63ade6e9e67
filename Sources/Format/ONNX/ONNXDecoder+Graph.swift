import COnnx

extension ONNXDecoder {
  @unsafe func graph(_ message: UnsafeMutablePointer<Onnx__GraphProto>) throws(FormatError) -> Graph {
    let proto = unsafe message.pointee
    var fields = unsafe FieldReader(proto.base)
    var graph = Graph(name: unsafe fields.text(2, proto.has_name, proto.name))
    graph.nodes = try unsafe nodes(proto.n_node, proto.node)
    graph.initializers = try unsafe messages(proto.n_initializer, proto.initializer).map {
      (message) throws(FormatError) in
      var tensor = try unsafe self.tensor(message)
      let name = tensor.name
      tensor.name = ""
      return Initializer(name: name, tensor: tensor)
    }
    graph.docString = unsafe fields.text(10, proto.has_doc_string, proto.doc_string)
    graph.inputs = unsafe messages(proto.n_input, proto.input).map { unsafe value($0) }
    graph.outputs = unsafe messages(proto.n_output, proto.output).map { unsafe value($0) }
    graph.valueInfo = unsafe messages(proto.n_value_info, proto.value_info).map { unsafe value($0) }
    graph.quantizationAnnotations = unsafe messages(proto.n_quantization_annotation, proto.quantization_annotation)
      .map { unsafe annotation($0) }
    graph.sparseInitializers = try unsafe messages(proto.n_sparse_initializer, proto.sparse_initializer).map {
      (message) throws(FormatError) in
      var tensor = try unsafe sparseTensor(message)
      let name = tensor.values.name
      tensor.values.name = ""
      return (name, tensor)
    }
    graph.metadata = unsafe dictionary(proto.n_metadata_props, proto.metadata_props)
    graph.unknownFields = fields.unknown
    return graph
  }

  @unsafe private func annotation(_ message: UnsafeMutablePointer<Onnx__TensorAnnotation>) -> QuantizationAnnotation {
    let proto = unsafe message.pointee
    var fields = unsafe FieldReader(proto.base)
    var annotation = QuantizationAnnotation(
      tensorName: unsafe fields.text(1, proto.has_tensor_name, proto.tensor_name),
      parameters: unsafe dictionary(proto.n_quant_parameter_tensor_names, proto.quant_parameter_tensor_names))
    annotation.unknownFields = fields.unknown
    return annotation
  }

  @unsafe func nodes(
    _ count: Int, _ base: UnsafeMutablePointer<UnsafeMutablePointer<Onnx__NodeProto>?>?
  ) throws(FormatError) -> [Node] {
    try unsafe messages(count, base).enumerated().map { (index, message) throws(FormatError) in
      try unsafe node(message, index: index)
    }
  }

  @unsafe private func node(
    _ message: UnsafeMutablePointer<Onnx__NodeProto>, index: Int
  ) throws(FormatError) -> Node {
    let proto = unsafe message.pointee
    var fields = unsafe FieldReader(proto.base)
    var node = Node(
      name: unsafe fields.text(3, proto.has_name, proto.name),
      unsafe fields.text(4, proto.has_op_type, proto.op_type),
      domain: unsafe fields.text(7, proto.has_domain, proto.domain),
      inputs: unsafe texts(proto.n_input, proto.input), outputs: unsafe texts(proto.n_output, proto.output))
    try inPlace("node \(index) \(node.label)") { () throws(FormatError) in
      node.attributes = try unsafe messages(proto.n_attribute, proto.attribute).map {
        (attribute) throws(FormatError) in try unsafe self.attribute(attribute)
      }
    }
    node.docString = unsafe fields.text(6, proto.has_doc_string, proto.doc_string)
    node.overload = unsafe fields.text(8, proto.has_overload, proto.overload)
    node.metadata = unsafe dictionary(proto.n_metadata_props, proto.metadata_props)
    unsafe fields.keepEncoded(10, messages(proto.n_device_configurations, proto.device_configurations))
    node.unknownFields = fields.unknown
    return node
  }
}
