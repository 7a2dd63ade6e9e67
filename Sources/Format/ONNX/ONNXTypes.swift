import COnnx

/// `ValueType` and the messages that state it.
enum ONNXTypes {
  /// The type that a message states, as far as a `ValueType` can hold it.
  ///
  /// - Returns: `nil` for an opaque type, an element type that is undefined or unknown, and an empty message.
  @unsafe static func type(_ message: UnsafeMutablePointer<Onnx__TypeProto>) -> ValueType? {
    let proto = unsafe message.pointee
    switch unsafe proto.value_case {
    case ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE:
      guard let tensor = unsafe proto.tensor_type?.pointee else { return nil }
      return ElementType(rawValue: unsafe tensor.elem_type).map { .tensor($0, unsafe shape(tensor.shape)) }
    case ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE:
      guard let tensor = unsafe proto.sparse_tensor_type?.pointee else { return nil }
      return ElementType(rawValue: unsafe tensor.elem_type).map { .sparseTensor($0, unsafe shape(tensor.shape)) }
    case ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE:
      return unsafe proto.sequence_type?.pointee.elem_type.flatMap { unsafe type($0) }.map(ValueType.sequence)
    case ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE:
      return unsafe proto.optional_type?.pointee.elem_type.flatMap { unsafe type($0) }.map(ValueType.optional)
    case ONNX__TYPE_PROTO__VALUE_MAP_TYPE:
      guard let map = unsafe proto.map_type?.pointee, let key = ElementType(rawValue: unsafe map.key_type) else {
        return nil
      }
      return unsafe map.value_type.flatMap { unsafe type($0) }.map { .map(key: key, value: $0) }
    default: return nil
    }
  }

  /// The type that an encoded message states.
  static func type(encoded: [UInt8]) -> ValueType? {
    guard let message = try? unsafe UnpackedMessage(encoded, onnx__type_proto__unpack) else { return nil }
    return unsafe type(message.pointer)
  }

  @unsafe private static func shape(_ message: UnsafeMutablePointer<Onnx__TensorShapeProto>?) -> Shape? {
    guard let proto = unsafe message?.pointee else { return nil }
    return Shape(
      unsafe messages(proto.n_dim, proto.dim).map { dimension in
        switch unsafe dimension.pointee.value_case {
        case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE:
          let extent = Int(unsafe dimension.pointee.dim_value)
          return extent < 0 ? .unknown : .known(extent)
        case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM:
          let name = WireText.decode(unsafe dimension.pointee.dim_param.array)
          return name.isEmpty ? .unknown : .symbolic(name)
        default: return .unknown
        }
      })
  }

  static func encode(_ type: ValueType) -> [UInt8] {
    var writer = WireWriter()
    write(type, into: &writer)
    return writer.bytes
  }

  private static func write(_ type: ValueType, into writer: inout WireWriter) {
    switch type {
    case .tensor(let elementType, let shape): writer.message(1) { write(elementType, shape, into: &$0) }
    case .sequence(let element): writer.message(4) { $0.message(1) { write(element, into: &$0) } }
    case .map(let key, let value):
      writer.message(5) {
        $0.number(1, Int64(key.rawValue))
        $0.message(2) { write(value, into: &$0) }
      }
    case .sparseTensor(let elementType, let shape): writer.message(8) { write(elementType, shape, into: &$0) }
    case .optional(let element): writer.message(9) { $0.message(1) { write(element, into: &$0) } }
    }
  }

  private static func write(_ elementType: ElementType, _ shape: Shape?, into writer: inout WireWriter) {
    writer.number(1, Int64(elementType.rawValue))
    guard let shape else { return }
    writer.message(2) {
      for dimension in shape.dimensions {
        $0.message(1) {
          switch dimension {
          case .known(let extent): $0.number(1, Int64(extent))
          case .symbolic(let name): $0.bytes(2, WireText.encode(name))
          case .unknown: break
          }
        }
      }
    }
  }
}

extension ONNXDecoder {
  @unsafe func value(_ message: UnsafeMutablePointer<Onnx__ValueInfoProto>) -> Value {
    let proto = unsafe message.pointee
    var fields = unsafe FieldReader(proto.base)
    var value = Value(name: unsafe fields.text(1, proto.has_name, proto.name))
    if let type = unsafe proto.type {
      value.type = unsafe ONNXTypes.type(type)
      let stated = unsafe packed(type)
      if value.type.map(ONNXTypes.encode) != stated { fields.unknown.statedTypes = [stated] }
    }
    value.docString = unsafe fields.text(3, proto.has_doc_string, proto.doc_string)
    value.metadata = unsafe dictionary(proto.n_metadata_props, proto.metadata_props)
    value.unknownFields = fields.unknown
    return value
  }
}
