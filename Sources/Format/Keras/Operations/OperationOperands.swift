/// A tensor, or a number that takes the type of the tensors it meets.
enum OperationOperand {
  case value(LoweredValue)
  /// The number and whether Python wrote it as a float.
  case number(Double, isFloat: Bool)
  case truth(Bool)
}

extension Lowering {
  /// An argument as an operand: a tensor, an array in the configuration, or a number.
  ///
  /// - Throws: `FormatError` of kind `missing` when the argument is absent, `unsupported` when it is something else.
  mutating func operand(_ name: String, of operation: OperationCall) throws(FormatError) -> OperationOperand {
    guard let argument = operation[name] else { throw operation.error(.missing, "its argument \"\(name)\" is missing") }
    return try operand(argument, name, of: operation)
  }

  private mutating func operand(
    _ argument: OperationArgument, _ name: String, of operation: OperationCall
  ) throws(FormatError) -> OperationOperand {
    switch argument {
    case .tensor(let value): return .value(value)
    case .constant(.bool(let truth)): return .truth(truth)
    case .constant(let json):
      if case .number(let text) = json, let number = json.double {
        return .number(number, isFloat: Int(text) == nil)
      }
      let tensor = try ArrayReading.tensor(json, limits: limits, in: operation)
      return .value(constant(tensor, name, in: operation.call))
    case .list:
      guard let json = argument.json else { throw operation.error(.unsupported, "\"\(name)\" is a list of tensors") }
      return .value(constant(try ArrayReading.tensor(json, limits: limits, in: operation), name, in: operation.call))
    }
  }

  /// Operands in the type that Keras finds for them together, and that type.
  ///
  /// - Parameter isFloat: whether the result is a floating-point number whatever the operands are.
  mutating func promoted(
    _ operands: [(name: String, operand: OperationOperand)], isFloat: Bool = false, in operation: OperationCall
  ) throws(FormatError) -> [LoweredValue] {
    let type = TypePromotion.result(of: operands.map(\.operand), isFloat: isFloat)
    return try operands.mapTyped { (item) throws(FormatError) in
      try value(item.operand, as: type, item.name, in: operation)
    }
  }

  /// The arguments of some names in the type that Keras finds for them together.
  mutating func promoted(_ names: [String], isFloat: Bool = false, of operation: OperationCall) throws(FormatError)
    -> [LoweredValue]
  {
    var operands: [(name: String, operand: OperationOperand)] = []
    for name in names { operands.append((name, try operand(name, of: operation))) }
    return try promoted(operands, isFloat: isFloat, in: operation)
  }

  /// An operand in a type.
  mutating func value(
    _ operand: OperationOperand, as type: ElementType, _ name: String, in operation: OperationCall
  ) throws(FormatError) -> LoweredValue {
    switch operand {
    case .value(let value): return try cast(value, to: type, in: operation.call, suffix: "\(name)/cast")
    case .number(let number, _): return try self.number(number, name, as: type, in: operation.call)
    case .truth(let truth): return try number(truth ? 1 : 0, name, as: type, in: operation.call)
    }
  }

  /// The single tensor of an operation, in its own type or, on request, as a floating-point number.
  mutating func tensor(
    _ name: String = "x", isFloat: Bool = false, of operation: OperationCall
  ) throws(FormatError) -> LoweredValue {
    try promoted([name], isFloat: isFloat, of: operation)[0]
  }

  /// The single tensor of an operation with its rank.
  mutating func ranked(
    _ name: String = "x", isFloat: Bool = false, of operation: OperationCall
  ) throws(FormatError) -> (LoweredValue, rank: Int) {
    let value = try tensor(name, isFloat: isFloat, of: operation)
    guard let rank = value.rank else { throw operation.error(.unsupported, "the shape of its input is not known") }
    return (value, rank)
  }

  /// A number as a constant of rank 0.
  mutating func number(_ number: Double, _ name: String, as type: ElementType, in call: LayerCall) throws(FormatError)
    -> LoweredValue
  {
    constant(try Tensor([number], shape: []).converted(to: type), name, in: call)
  }

  /// A number of the type of a value.
  mutating func number(_ number: Double, _ name: String, like value: LoweredValue, in call: LayerCall)
    throws(FormatError) -> LoweredValue
  {
    try self.number(number, name, as: value.elementType ?? .float32, in: call)
  }
}

/// The types that Keras gives the results of operations on several types (`keras.backend.result_type`).
enum TypePromotion {
  static func result(of operands: [OperationOperand], isFloat: Bool) -> ElementType {
    var type: ElementType?
    var (hasInteger, hasFloat) = (false, isFloat)
    for operand in operands {
      switch operand {
      case .value(let value):
        let own = value.elementType ?? .float32
        type = type.map { join($0, own) } ?? own
      case .number(_, let isFloat): if isFloat { hasFloat = true } else { hasInteger = true }
      case .truth: break
      }
    }
    let isTruth = type == nil && operands.allSatisfy { if case .truth = $0 { true } else { false } }
    guard let type else { return hasFloat ? .float32 : isTruth ? .bool : .int32 }
    if hasFloat, !type.isFloatingPoint { return .float32 }
    if hasInteger, type == .bool { return .int32 }
    return type
  }

  /// The least type that holds both, as Keras orders them.
  static func join(_ a: ElementType, _ b: ElementType) -> ElementType {
    if a == b { return a }
    if a == .bool { return b }
    if b == .bool { return a }
    switch (a.isFloatingPoint, b.isFloatingPoint) {
    case (true, true):
      let (width, other) = (a.bitWidth ?? 32, b.bitWidth ?? 32)
      return width == other ? .float32 : width > other ? a : b
    case (true, false): return a
    case (false, true): return b
    case (false, false): return joinIntegers(a, b)
    }
  }

  private static func joinIntegers(_ a: ElementType, _ b: ElementType) -> ElementType {
    let unsigned: Set<ElementType> = [.uint8, .uint16, .uint32, .uint64]
    let (width, other) = (a.bitWidth ?? 32, b.bitWidth ?? 32)
    guard unsigned.contains(a) != unsigned.contains(b) else { return width >= other ? a : b }
    let (plain, signed) = unsigned.contains(a) ? (width, other) : (other, width)
    if signed > plain { return unsigned.contains(a) ? b : a }
    return switch plain {
    case 8: .int16
    case 16: .int32
    case 32: .int64
    default: .float32
    }
  }
}

/// Reads arrays that a configuration states: nested lists, or objects that also name the type.
enum ArrayReading {
  /// The tensor that JSON stands for.
  ///
  /// - Throws: `FormatError` of kind `unsupported` when it is no array of numbers, of kind `limit` when it is too large.
  static func tensor(_ json: JSONValue, limits: ReadLimits, in operation: OperationCall) throws(FormatError) -> Tensor {
    var array = json
    var type: ElementType?
    if let className = json["class_name"]?.string {
      guard ["__numpy__", "__tensor__"].contains(className), let value = json["config"]?["value"] else {
        throw operation.error(.unsupported, "its argument \(json.text().prefix(40)) cannot be read")
      }
      array = value
      type = json["config"]?["dtype"]?.string.flatMap(ElementType.init(kerasName:))
    }
    var shape: [Int] = []
    var first = array
    while let elements = first.array {
      guard shape.count < limits.depth else { throw operation.error(.limit, "an array of it nests too deeply") }
      shape.append(elements.count)
      guard let next = elements.first else { break }
      first = next
    }
    var numbers: [Double] = []
    var isFloat = false
    var isTruth = true
    func collect(_ json: JSONValue, depth: Int) throws(FormatError) {
      if depth < shape.count {
        guard let elements = json.array, elements.count == shape[depth] else {
          throw operation.error(.malformed, "an array of it has rows of different lengths")
        }
        for element in elements { try collect(element, depth: depth + 1) }
        return
      }
      if let truth = json.bool {
        numbers.append(truth ? 1 : 0)
        return
      }
      guard case .number(let text) = json, let number = json.double else {
        throw operation.error(.unsupported, "its argument \(json.text().prefix(40)) is not a number")
      }
      isTruth = false
      if Int(text) == nil { isFloat = true }
      numbers.append(number)
    }
    try collect(array, depth: 0)
    let plain: ElementType = isFloat || numbers.isEmpty ? .float32 : isTruth ? .bool : .int32
    return try Tensor(numbers, shape: shape).converted(to: type ?? plain)
  }
}
