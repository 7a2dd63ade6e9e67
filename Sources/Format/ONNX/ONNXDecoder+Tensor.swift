import COnnx

extension ONNXDecoder {
  /// Reads a tensor, its name included.
  ///
  /// - Throws: `FormatError` that names the tensor.
  @unsafe func tensor(_ message: UnsafeMutablePointer<Onnx__TensorProto>) throws(FormatError) -> Tensor {
    let proto = unsafe message.pointee
    var fields = unsafe FieldReader(proto.base)
    let name = unsafe fields.text(8, proto.has_name, proto.name)
    return try inPlace("tensor \"\(name)\"") { () throws(FormatError) in
      guard let elementType = ElementType(rawValue: unsafe proto.data_type) else {
        throw FormatError(.unsupported, "its element type \(unsafe proto.data_type) is undefined or unknown")
      }
      let shape = try extents(unsafe Array(UnsafeBufferPointer(start: proto.dims, count: proto.n_dims)))
      var encoding = TensorEncoding()
      encoding.externalData = unsafe dictionary(proto.n_external_data, proto.external_data)
      encoding.segment = unsafe proto.segment.map { unsafe packed($0) }
      let elements = try unsafe TypedElements(proto, elementType)
      let isExternal = unsafe proto.data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL
      let holdsRaw = unsafe proto.has_raw_data != 0
      encoding.placement =
        isExternal ? .external : holdsRaw && elements.isEmpty && elementType != .string ? .raw : .typed
      if !isExternal { fields.note(14, present: unsafe proto.has_data_location != 0) }
      if encoding.placement != .raw { fields.note(9, present: holdsRaw) }

      let payload = holdsRaw ? try payload(unsafe proto.raw_data.array) : 0..<0
      let storage: TensorStorage
      switch encoding.placement {
      case .external, .typed:
        guard payload.isEmpty, elements.isEmpty || !isExternal else {
          throw FormatError(.malformed, "its elements are stored in more than one place")
        }
        storage =
          isExternal
          ? try externalFiles.storage(encoding.externalData, byteCount: try byteCount(elementType, shape))
          : try unsafe elements.storage(count: checkedProduct(shape) ?? 0, &encoding)
      case .raw: storage = try source.tensorStorage(payload)
      }
      var tensor = try Tensor(elementType: elementType, shape: shape, storage: storage)
      tensor.name = name
      tensor.docString = unsafe fields.text(12, proto.has_doc_string, proto.doc_string)
      tensor.metadata = unsafe dictionary(proto.n_metadata_props, proto.metadata_props)
      tensor.encoding = encoding
      tensor.unknownFields = fields.unknown
      return tensor
    }
  }

  private func payload(_ reference: [UInt8]) throws(FormatError) -> Range<Int> {
    guard let reference = PayloadReference(encoded: reference) else {
      throw FormatError(.malformed, "its elements cannot be located")
    }
    return reference.range
  }

  private func extents(_ dimensions: [Int64]) throws(FormatError) -> [Int] {
    guard dimensions.count <= limits.rank else {
      throw FormatError(.limit, "it has \(dimensions.count) dimensions, more than \(limits.rank)")
    }
    if let dimension = dimensions.first(where: { $0 < 0 }) {
      throw FormatError(.malformed, "its shape \(dimensions) holds the negative dimension \(dimension)")
    }
    let shape = dimensions.map(Int.init)
    guard checkedProduct(shape) != nil else { throw FormatError(.limit, "its shape \(shape) has too many elements") }
    return shape
  }

  private func byteCount(_ elementType: ElementType, _ shape: [Int]) throws(FormatError) -> Int {
    guard elementType != .string else { throw FormatError(.malformed, "strings cannot be stored in another file") }
    guard let byteCount = checkedProduct(shape).flatMap(elementType.byteCount(of:)) else {
      throw FormatError(.limit, "its shape \(shape) takes too many bytes")
    }
    return byteCount
  }

  /// Reads a tensor in coordinate form. The name is that of its values.
  @unsafe func sparseTensor(
    _ message: UnsafeMutablePointer<Onnx__SparseTensorProto>
  ) throws(FormatError) -> SparseTensor {
    let proto = unsafe message.pointee
    guard let values = unsafe proto.values, let indices = unsafe proto.indices else {
      throw FormatError(.malformed, "a sparse tensor lacks its values or its indices")
    }
    let valueTensor = try unsafe tensor(values)
    return try inPlace("sparse tensor \"\(valueTensor.name)\"") { () throws(FormatError) in
      var sparse = SparseTensor(
        values: valueTensor, indices: try unsafe tensor(indices),
        shape: try extents(unsafe Array(UnsafeBufferPointer(start: proto.dims, count: proto.n_dims))))
      sparse.unknownFields = unsafe FieldReader(proto.base).unknown
      return sparse
    }
  }
}
