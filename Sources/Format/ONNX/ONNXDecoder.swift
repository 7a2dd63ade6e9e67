import COnnx

/// Turns unpacked messages into a `Model`.
///
/// Elements in `raw_data` are not in the messages: a reference stands there, and the tensor's storage is that range of
/// `source`.
struct ONNXDecoder {
  /// The file, or the bytes, that the references point into.
  let source: ByteRegion
  let externalFiles: ExternalDataFolder
  let limits: ReadLimits

  /// Reads the message of a whole file.
  func model() throws(FormatError) -> Model {
    let skeleton = try unsafe source.withBytes { (bytes) throws(FormatError) in
      try unsafe PayloadScanner.skeleton(of: bytes, descriptor: Descriptors.model, depth: limits.depth)
    }
    let message = try unsafe UnpackedMessage(skeleton, onnx__model_proto__unpack)
    return try unsafe model(message.pointer)
  }

  /// Reads a file that holds one tensor.
  func tensor() throws(FormatError) -> Tensor {
    let skeleton = try unsafe source.withBytes { (bytes) throws(FormatError) in
      try unsafe PayloadScanner.skeleton(of: bytes, descriptor: Descriptors.tensor, depth: limits.depth)
    }
    let message = try unsafe UnpackedMessage(skeleton, onnx__tensor_proto__unpack)
    return try unsafe tensor(message.pointer)
  }

  @unsafe private func model(_ message: UnsafeMutablePointer<Onnx__ModelProto>) throws(FormatError) -> Model {
    let proto = unsafe message.pointee
    guard let graph = unsafe proto.graph else { throw FormatError(.malformed, "the model has no graph") }
    var fields = unsafe FieldReader(proto.base)
    var model = Model(
      graph: try unsafe self.graph(graph),
      operatorSets: unsafe messages(proto.n_opset_import, proto.opset_import).map { unsafe operatorSet($0) },
      irVersion: unsafe fields.int(1, proto.has_ir_version, proto.ir_version))
    model.producerName = unsafe fields.text(2, proto.has_producer_name, proto.producer_name)
    model.producerVersion = unsafe fields.text(3, proto.has_producer_version, proto.producer_version)
    model.domain = unsafe fields.text(4, proto.has_domain, proto.domain)
    model.modelVersion = unsafe fields.int(5, proto.has_model_version, proto.model_version)
    model.docString = unsafe fields.text(6, proto.has_doc_string, proto.doc_string)
    model.metadata = unsafe dictionary(proto.n_metadata_props, proto.metadata_props)
    model.trainingInfo = try unsafe messages(proto.n_training_info, proto.training_info).enumerated().map {
      (index, info) throws(FormatError) in
      try inPlace("training \(index)") { () throws(FormatError) in try unsafe trainingInfo(info) }
    }
    model.functions = try unsafe messages(proto.n_functions, proto.functions).map { (function) throws(FormatError) in
      try unsafe self.function(function)
    }
    unsafe fields.keepEncoded(26, messages(proto.n_configuration, proto.configuration))
    model.unknownFields = fields.unknown
    return model
  }

  @unsafe func operatorSet(_ message: UnsafeMutablePointer<Onnx__OperatorSetIdProto>) -> OperatorSetImport {
    let proto = unsafe message.pointee
    var fields = unsafe FieldReader(proto.base)
    let domain = unsafe fields.text(1, proto.has_domain, proto.domain)
    let version = unsafe fields.int(2, proto.has_version, proto.version, stated: true)
    var operatorSet = OperatorSetImport(domain: domain, version: version)
    operatorSet.unknownFields = fields.unknown
    return operatorSet
  }

  @unsafe func dictionary(
    _ count: Int, _ base: UnsafeMutablePointer<UnsafeMutablePointer<Onnx__StringStringEntryProto>?>?
  ) -> TextDictionary {
    let entries = unsafe messages(count, base).map { message in
      let proto = unsafe message.pointee
      var fields = unsafe FieldReader(proto.base)
      let key = unsafe fields.text(1, proto.has_key, proto.key, stated: true)
      var entry = TextDictionary.Entry(key, unsafe fields.text(2, proto.has_value, proto.value, stated: true))
      entry.unknownFields = fields.unknown
      return entry
    }
    return TextDictionary(entries: entries)
  }

  @unsafe private func trainingInfo(
    _ message: UnsafeMutablePointer<Onnx__TrainingInfoProto>
  ) throws(FormatError) -> TrainingInfo {
    let proto = unsafe message.pointee
    var info = TrainingInfo()
    if let graph = unsafe proto.initialization { info.initialization = try unsafe self.graph(graph) }
    if let graph = unsafe proto.algorithm { info.algorithm = try unsafe self.graph(graph) }
    info.initializationBindings = unsafe dictionary(proto.n_initialization_binding, proto.initialization_binding)
    info.updateBindings = unsafe dictionary(proto.n_update_binding, proto.update_binding)
    info.unknownFields = unsafe FieldReader(proto.base).unknown
    return info
  }

  @unsafe private func function(
    _ message: UnsafeMutablePointer<Onnx__FunctionProto>
  ) throws(FormatError) -> Function {
    let proto = unsafe message.pointee
    var fields = unsafe FieldReader(proto.base)
    let name = unsafe fields.text(1, proto.has_name, proto.name)
    return try inPlace("function \"\(name)\"") { () throws(FormatError) in
      var function = Function(
        name: name, domain: unsafe fields.text(10, proto.has_domain, proto.domain),
        inputs: unsafe texts(proto.n_input, proto.input), outputs: unsafe texts(proto.n_output, proto.output),
        nodes: try unsafe nodes(proto.n_node, proto.node))
      function.attributeNames = unsafe texts(proto.n_attribute, proto.attribute)
      function.docString = unsafe fields.text(8, proto.has_doc_string, proto.doc_string)
      function.operatorSets = unsafe messages(proto.n_opset_import, proto.opset_import).map { unsafe operatorSet($0) }
      function.attributes = try unsafe messages(proto.n_attribute_proto, proto.attribute_proto).map {
        (attribute) throws(FormatError) in try unsafe self.attribute(attribute)
      }
      function.valueInfo = unsafe messages(proto.n_value_info, proto.value_info).map { unsafe value($0) }
      function.overload = unsafe fields.text(13, proto.has_overload, proto.overload)
      function.metadata = unsafe dictionary(proto.n_metadata_props, proto.metadata_props)
      function.unknownFields = fields.unknown
      return function
    }
  }
}

extension FieldReader {
  /// Keeps messages that no property stands for as they are encoded.
  @unsafe mutating func keepEncoded<Message>(_ number: UInt32, _ messages: [UnsafeMutablePointer<Message>]) {
    var kept: [UInt8] = []
    for content in unsafe messages.map({ unsafe packed($0) }) {
      kept.appendTag(number, .lengthDelimited)
      kept.appendVarint(UInt64(content.count))
      kept += content
    }
    unknown.bytes = kept + unknown.bytes
  }
}
