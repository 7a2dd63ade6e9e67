import NNFormat

/// Fits a caller's tensors to the inputs of a network.
public enum InputBinding {
  /// Binds tensors to inputs by name and casts integers where that loses nothing.
  ///
  /// - Returns: one tensor for each input of the plan, in its order.
  /// - Throws: `EngineError` of kind `invalidInput` that names the input, and both types or both shapes.
  public static func bind(_ tensors: [String: Tensor], to plan: ExecutionPlan) throws(EngineError) -> [Tensor] {
    let names = plan.inputs.map(\.name)
    if let stranger = tensors.keys.sorted().first(where: { !names.contains($0) }) {
      throw EngineError(
        .invalidInput, "the network has no input \"\(stranger)\"; its inputs are \(list(names))")
    }
    var result: [Tensor] = []
    for input in plan.inputs {
      guard let tensor = tensors[input.name] else {
        throw EngineError(
          .invalidInput, "the input \"\(input.name)\" is missing; given are \(list(tensors.keys.sorted()))")
      }
      result.append(try cast(tensor, for: input))
    }
    try check(result, against: plan)
    return result
  }

  /// A tensor in the element type of an input.
  ///
  /// Integers and booleans are cast to any type that holds every one of the values exactly; everything else has to have
  /// the type already.
  public static func cast(_ tensor: Tensor, for input: Value) throws(EngineError) -> Tensor {
    guard let wanted = input.elementType, wanted != tensor.elementType else { return tensor }
    let refusal = EngineError(
      .invalidInput,
      "the input \"\(input.name)\" is \(wanted.name), the given tensor \(tensor.elementType.name)")
    guard tensor.elementType.isInteger || tensor.elementType == .bool,
      let values = try integers(of: tensor), let result = try tensorOf(values, wanted, tensor.shape)
    else { throw refusal }
    return result
  }

  /// Checks types and shapes; symbolic extents have to agree among the inputs.
  package static func check(_ tensors: [Tensor], against plan: ExecutionPlan) throws(EngineError) {
    guard tensors.count == plan.inputs.count else {
      throw EngineError(.invalidInput, "the network takes \(plan.inputs.count) inputs, \(tensors.count) are given")
    }
    var extents: [String: Int] = [:]
    for (input, tensor) in zip(plan.inputs, tensors) {
      guard input.elementType == tensor.elementType else {
        throw EngineError(
          .invalidInput,
          "the input \"\(input.name)\" is \(input.elementType?.name ?? "?"), "
            + "the given tensor \(tensor.elementType.name)"
        )
      }
      try check(tensor.shape, of: input, &extents)
    }
  }

  /// Checks the shape of one input against the declared one.
  package static func check(
    _ shape: [Int], of input: Value, _ extents: inout [String: Int]
  ) throws(EngineError) {
    guard let declared = input.shape else { return }
    guard declared.rank == shape.count else { throw mismatch(input, declared, shape) }
    for (dimension, extent) in zip(declared.dimensions, shape) {
      switch dimension {
      case .known(let wanted) where wanted != extent: throw mismatch(input, declared, shape)
      case .symbolic(let name):
        if let bound = extents[name], bound != extent {
          throw EngineError(
            .invalidInput,
            "the input \"\(input.name)\" has \(extent) where another input has \(bound) for \"\(name)\"")
        }
        extents[name] = extent
      default: break
      }
    }
  }

  private static func mismatch(_ input: Value, _ declared: Shape, _ shape: [Int]) -> EngineError {
    EngineError(.invalidInput, "the input \"\(input.name)\" has shape \(declared), the given tensor \(Shape(shape))")
  }

  private static func list(_ names: [String]) -> String {
    names.isEmpty ? "none" : names.map { "\"\($0)\"" }.joined(separator: ", ")
  }

  // MARK: Casting

  private static func integers(of tensor: Tensor) throws(EngineError) -> [Int128]? {
    do throws(FormatError) {
      switch tensor.elementType {
      case .int8: return try tensor.elements(as: Int8.self).map { Int128($0) }
      case .int16: return try tensor.elements(as: Int16.self).map { Int128($0) }
      case .int32: return try tensor.elements(as: Int32.self).map { Int128($0) }
      case .int64: return try tensor.elements(as: Int64.self).map { Int128($0) }
      case .uint8: return try tensor.elements(as: UInt8.self).map { Int128($0) }
      case .uint16: return try tensor.elements(as: UInt16.self).map { Int128($0) }
      case .uint32: return try tensor.elements(as: UInt32.self).map { Int128($0) }
      case .uint64: return try tensor.elements(as: UInt64.self).map { Int128($0) }
      case .bool: return try tensor.elements(as: UInt8.self, storedAs: .bool).map { $0 == 0 ? 0 : 1 }
      case .int4, .uint4, .int2, .uint2: return try tensor.doubles().map { Int128($0) }
      default: return nil
      }
    } catch {
      throw EngineError(.invalidInput, error.message)
    }
  }

  private static func tensorOf(
    _ values: [Int128], _ type: ElementType, _ shape: [Int]
  ) throws(EngineError) -> Tensor? {
    switch type {
    case .float32: floats(values, shape, Float.self)
    case .float64: floats(values, shape, Double.self)
    case .float16:
      sixteenBit(values, shape, type) { value in
        let half = Float16(exactly: value)
        return half.map(\.bitPattern)
      }
    case .bfloat16:
      sixteenBit(values, shape, type) { value in
        guard let float = Float(exactly: value), float.bitPattern & 0xFFFF == 0 else { return nil }
        return UInt16(float.bitPattern >> 16)
      }
    case .int8: integers(values, shape, Int8.self)
    case .int16: integers(values, shape, Int16.self)
    case .int32: integers(values, shape, Int32.self)
    case .int64: integers(values, shape, Int64.self)
    case .uint8: integers(values, shape, UInt8.self)
    case .uint16: integers(values, shape, UInt16.self)
    case .uint32: integers(values, shape, UInt32.self)
    case .uint64: integers(values, shape, UInt64.self)
    case .bool: booleans(values, shape)
    default: small(values, type, shape)
    }
  }

  /// Numbers of up to 8 bits, when every value comes back as it was.
  private static func small(_ values: [Int128], _ type: ElementType, _ shape: [Int]) -> Tensor? {
    let numbers = Tensor(values.map { Double($0) }, shape: shape)
    guard type.isInteger || type.isFloatingPoint, let result = try? numbers.converted(to: type),
      let stored = try? result.doubles(), zip(stored, values).allSatisfy({ $0 == Double($1) })
    else { return nil }
    return result
  }

  private static func floats<T: BinaryFloatingPoint & TensorScalar>(
    _ values: [Int128], _ shape: [Int], _: T.Type
  ) -> Tensor? {
    let result = values.compactMap { T(exactly: $0) }
    return result.count == values.count ? Tensor(result, shape: shape) : nil
  }

  private static func integers<T: FixedWidthInteger & TensorScalar>(
    _ values: [Int128], _ shape: [Int], _: T.Type
  ) -> Tensor? {
    let result = values.compactMap { T(exactly: $0) }
    return result.count == values.count ? Tensor(result, shape: shape) : nil
  }

  private static func booleans(_ values: [Int128], _ shape: [Int]) -> Tensor? {
    values.allSatisfy { $0 == 0 || $0 == 1 } ? Tensor(values.map { $0 == 1 }, shape: shape) : nil
  }

  private static func sixteenBit(
    _ values: [Int128], _ shape: [Int], _ type: ElementType, _ convert: (Int128) -> UInt16?
  ) -> Tensor? {
    let bits = values.compactMap(convert)
    guard bits.count == values.count else { return nil }
    return try? Tensor(elementType: type, shape: shape, storage: .owned(AlignedBytes(copying: bits)))
  }
}

extension Tensor {
  /// The bytes of a tensor of a one-byte type that has no safe Swift form for arbitrary bytes.
  fileprivate func elements(as _: UInt8.Type, storedAs type: ElementType) throws(FormatError) -> [UInt8] {
    guard elementType == type else { throw FormatError(.mismatch, "a tensor of \(elementType.name) was read as bytes") }
    return try unsafe withBytes { bytes in unsafe [UInt8](bytes) }
  }
}
