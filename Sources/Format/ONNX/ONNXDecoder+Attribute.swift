import COnnx

extension ONNXDecoder {
  @unsafe func attribute(_ message: UnsafeMutablePointer<Onnx__AttributeProto>) throws(FormatError) -> Attribute {
    let proto = unsafe message.pointee
    var fields = unsafe FieldReader(proto.base)
    let name = unsafe fields.text(1, proto.has_name, proto.name)
    return try inPlace("attribute \"\(name)\"") { () throws(FormatError) in
      let reference = unsafe fields.text(21, proto.has_ref_attr_name, proto.ref_attr_name)
      let kind = try unsafe kind(proto, isReference: !reference.isEmpty)
      try unsafe checkNothingElse(proto, kind: reference.isEmpty ? kind : nil)
      let value = try unsafe reference.isEmpty ? value(proto, kind, &fields) : kind.emptyValue
      var attribute = Attribute(name, value, docString: unsafe fields.text(13, proto.has_doc_string, proto.doc_string))
      attribute.referencedName = reference
      if unsafe proto.has_type == 0 {
        fields.note(20, present: false, stated: true)
      } else if unsafe proto.type.rawValue == 0 {
        fields.note(20, present: false, stated: true)
        fields.unknown.bytes += [0xA0, 0x01, 0x00]
      }
      let scalars = unsafe [
        (AttributeKind.float, proto.has_f, UInt32(2)), (.int, proto.has_i, 3), (.string, proto.has_s, 4),
      ]
      for (scalar, isPresent, number) in scalars where scalar != kind || !reference.isEmpty {
        fields.note(number, present: isPresent != 0)
      }
      attribute.unknownFields = fields.unknown
      return attribute
    }
  }

  /// The kind that `type` states; files of the first IR version leave it to the field that is set.
  @unsafe private func kind(_ proto: Onnx__AttributeProto, isReference: Bool) throws(FormatError) -> AttributeKind {
    let stated = unsafe proto.has_type != 0 ? Int(proto.type.rawValue) : 0
    if stated != 0 {
      guard let kind = AttributeKind(protobufType: stated) else {
        throw FormatError(.unsupported, "an attribute of the unknown type \(stated)")
      }
      return kind
    }
    if let kind = unsafe Self.filledKinds(proto).first { return kind }
    let scalars = unsafe [(AttributeKind.float, proto.has_f), (.int, proto.has_i), (.string, proto.has_s)]
    if let scalar = scalars.first(where: { $0.1 != 0 }) { return scalar.0 }
    guard isReference else { throw FormatError(.malformed, "it has neither a type nor a value") }
    return .int
  }

  /// Kinds whose field holds something other than its default.
  @unsafe private static func filledKinds(_ proto: Onnx__AttributeProto) -> [AttributeKind] {
    let fields: [(AttributeKind, Bool)] = unsafe [
      (.float, proto.has_f != 0 && proto.f.bitPattern != 0), (.int, proto.has_i != 0 && proto.i != 0),
      (.string, proto.has_s != 0 && proto.s.len != 0), (.tensor, proto.t != nil), (.graph, proto.g != nil),
      (.floats, proto.n_floats > 0), (.ints, proto.n_ints > 0), (.strings, proto.n_strings > 0),
      (.tensors, proto.n_tensors > 0), (.graphs, proto.n_graphs > 0), (.type, proto.tp != nil),
      (.types, proto.n_type_protos > 0), (.sparseTensor, proto.sparse_tensor != nil),
      (.sparseTensors, proto.n_sparse_tensors > 0),
    ]
    return fields.compactMap { $0.1 ? $0.0 : nil }
  }

  @unsafe private func checkNothingElse(_ proto: Onnx__AttributeProto, kind: AttributeKind?) throws(FormatError) {
    if let other = unsafe Self.filledKinds(proto).first(where: { $0 != kind }) {
      let owner = kind.map { "is of kind \($0)" } ?? "refers to an attribute of the function"
      throw FormatError(.malformed, "it \(owner), but also holds a value of kind \(other)")
    }
  }

  @unsafe private func value(
    _ proto: Onnx__AttributeProto, _ kind: AttributeKind, _ fields: inout FieldReader
  ) throws(FormatError) -> AttributeValue {
    switch kind {
    case .float:
      if unsafe proto.f.bitPattern == 0 { fields.note(2, present: unsafe proto.has_f != 0, stated: true) }
      return .float(unsafe proto.f)
    case .int: return .int(Int64(unsafe fields.int(3, proto.has_i, proto.i, stated: true)))
    case .string:
      let bytes = unsafe proto.s.array
      if bytes.isEmpty { fields.note(4, present: unsafe proto.has_s != 0, stated: true) }
      return .string(bytes)
    case .tensor:
      guard let tensor = unsafe proto.t else { throw missing(kind) }
      return .tensor(try unsafe self.tensor(tensor))
    case .graph:
      guard let graph = unsafe proto.g else { throw missing(kind) }
      return .graph(try unsafe self.graph(graph))
    case .sparseTensor:
      guard let tensor = unsafe proto.sparse_tensor else { throw missing(kind) }
      return .sparseTensor(try unsafe sparseTensor(tensor))
    case .type:
      guard let type = unsafe proto.tp else { throw missing(kind) }
      return .type(try unsafe types([type], &fields)[0])
    case .floats: return .floats(unsafe Array(UnsafeBufferPointer(start: proto.floats, count: proto.n_floats)))
    case .ints: return .ints(unsafe Array(UnsafeBufferPointer(start: proto.ints, count: proto.n_ints)))
    case .strings:
      return .strings(unsafe UnsafeBufferPointer(start: proto.strings, count: proto.n_strings).map { unsafe $0.array })
    case .tensors:
      let tensors = try unsafe messages(proto.n_tensors, proto.tensors).map { (message) throws(FormatError) in
        try unsafe self.tensor(message)
      }
      return .tensors(tensors)
    case .graphs:
      let graphs = try unsafe messages(proto.n_graphs, proto.graphs).map { (message) throws(FormatError) in
        try unsafe self.graph(message)
      }
      return .graphs(graphs)
    case .sparseTensors:
      let tensors = try unsafe messages(proto.n_sparse_tensors, proto.sparse_tensors).map {
        (message) throws(FormatError) in try unsafe sparseTensor(message)
      }
      return .sparseTensors(tensors)
    case .types: return .types(try unsafe types(messages(proto.n_type_protos, proto.type_protos), &fields))
    }
  }

  private func missing(_ kind: AttributeKind) -> FormatError {
    FormatError(.malformed, "it is of kind \(kind), but holds no value")
  }

  @unsafe private func types(
    _ protos: [UnsafeMutablePointer<Onnx__TypeProto>], _ fields: inout FieldReader
  ) throws(FormatError) -> [ValueType] {
    let types = try unsafe protos.map { (proto) throws(FormatError) in
      guard let type = unsafe ONNXTypes.type(proto) else {
        throw FormatError(.unsupported, "it holds a type that is not stated or of no known kind")
      }
      return type
    }
    let stated = unsafe protos.map { unsafe packed($0) }
    if stated != types.map(ONNXTypes.encode) { fields.unknown.statedTypes = stated }
    return types
  }
}
