/// An argument of an operation.
indirect enum OperationArgument {
  case tensor(LoweredValue)
  case list([OperationArgument])
  case constant(JSONValue)

  /// The argument as JSON; `nil` when there is a tensor in it, or nothing.
  var json: JSONValue? {
    switch self {
    case .tensor: return nil
    case .constant(let json): return json.isNull ? nil : json
    case .list(let elements):
      var values: [JSONValue] = []
      for element in elements {
        switch element {
        case .constant(let json): values.append(json)
        default:
          guard let json = element.json else { return nil }
          values.append(json)
        }
      }
      return .array(values)
    }
  }

  /// The elements of a list.
  var elements: [OperationArgument]? {
    switch self {
    case .tensor: nil
    case .list(let elements): elements
    case .constant(let json): json.array.map { $0.map(OperationArgument.constant) }
    }
  }

  /// Whether there is a tensor in the argument.
  var hasTensor: Bool {
    switch self {
    case .tensor: true
    case .constant: false
    case .list(let elements): elements.contains(where: \.hasTensor)
    }
  }
}

/// One call of an operation with its arguments by name: those of the call first, then those of the configuration.
struct OperationCall {
  let call: LayerCall
  private var arguments: [String: OperationArgument] = [:]

  /// Binds the call's arguments to the parameters' names.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when there are more arguments than parameters.
  init(_ call: LayerCall, parameters: [String]) throws(FormatError) {
    self.call = call
    guard let stated = call.arguments else {
      // Sequential models state no arguments.
      if let name = parameters.first, let input = call.inputs.first { arguments[name] = .tensor(input) }
      return
    }
    var tensors = call.inputs[...]
    func resolve(_ argument: KerasArgument) throws(FormatError) -> OperationArgument {
      switch argument {
      case .constant(let json): return .constant(json)
      case .list(let elements): return .list(try elements.mapTyped(resolve))
      case .tensor:
        guard let tensor = tensors.popFirst() else { throw call.error(.mismatch, "an argument is not connected") }
        return .tensor(tensor)
      }
    }
    guard stated.arguments.count <= parameters.count else {
      throw call.error(.mismatch, "takes \(parameters.count) arguments, but \(stated.arguments.count) are stated")
    }
    for (name, argument) in zip(parameters, stated.arguments) { arguments[name] = try resolve(argument) }
    for (name, argument) in stated.keywordArguments where name != "mask" { arguments[name] = try resolve(argument) }
  }

  /// A call with other arguments in the place of those that are stated.
  init(_ call: LayerCall, arguments: [String: OperationArgument]) {
    self.call = call
    self.arguments = arguments
  }

  /// An argument that is stated and not null.
  subscript(name: String) -> OperationArgument? {
    if let argument = arguments[name] {
      if case .constant(.null) = argument { return nil }
      return argument
    }
    return call.configuration[name].map(OperationArgument.constant)
  }

  /// An error that names the operation.
  func error(_ kind: FormatError.Kind, _ message: String) -> FormatError { call.error(kind, message) }

  private func unreadable(_ name: String, _ expected: String) -> FormatError {
    let text = self[name].map { $0.json?.text().prefix(60) ?? "a tensor" } ?? "absent"
    return error(.unsupported, "\"\(name)\" is \(text), not \(expected)")
  }

  /// A whole number; `nil` when it is absent.
  func int(_ name: String) throws(FormatError) -> Int? {
    guard let argument = self[name] else { return nil }
    guard let value = argument.json?.int else { throw unreadable(name, "a whole number") }
    return value
  }

  /// Whole numbers; a single one counts as a list of one.
  func ints(_ name: String) throws(FormatError) -> [Int]? {
    guard let argument = self[name] else { return nil }
    guard let value = argument.json, let numbers = value.ints ?? value.int.map({ [$0] }) else {
      throw unreadable(name, "a list of whole numbers")
    }
    return numbers
  }

  /// A truth value, false when it is absent.
  func bool(_ name: String, default fallback: Bool = false) throws(FormatError) -> Bool {
    guard let argument = self[name] else { return fallback }
    guard let value = argument.json?.bool else { throw unreadable(name, "true or false") }
    return value
  }

  /// A number; `nil` when it is absent.
  func number(_ name: String) throws(FormatError) -> Double? {
    guard let argument = self[name] else { return nil }
    guard let value = argument.json?.double else { throw unreadable(name, "a number") }
    return value
  }

  /// An element type by its Keras name; `nil` when it is absent.
  func elementType(_ name: String = "dtype") throws(FormatError) -> ElementType? {
    guard let argument = self[name] else { return nil }
    guard let text = argument.json?.string, let type = ElementType(kerasName: text) else {
      throw unreadable(name, "a type of elements")
    }
    return type
  }

  /// An axis of a rank as a non-negative one.
  func axis(_ axis: Int, rank: Int) throws(FormatError) -> Int { try call.axis(axis, rank: rank) }

  /// The axes under a name as non-negative ones in ascending order; all of the rank when they are absent.
  func axes(_ name: String = "axis", rank: Int) throws(FormatError) -> [Int] {
    guard let stated = try ints(name) else { return Array(0..<rank) }
    let axes = try stated.mapTyped { (axis) throws(FormatError) in try self.axis(axis, rank: rank) }
    guard Set(axes).count == axes.count else { throw error(.malformed, "\"\(name)\" names an axis twice") }
    return axes.sorted()
  }
}

extension ElementType {
  /// The type that a Keras configuration means: `float32`, `bool`, `uint8` ...
  init?(kerasName: String) {
    let names = ["half": "float16", "float": "float32", "double": "float64", "int": "int32"]
    let name = names[kerasName] ?? kerasName
    guard let type = ElementType.allCases.first(where: { $0.name == name && ($0.bitWidth ?? 0) >= 8 }) else {
      return nil
    }
    self = type
  }
}
