import NNFormat

/// LabelEncoder: elements replaced by what a table says of them.
package enum LabelEncoderOperators {
  package static let rows: [OperatorImplementation] = [
    FeatureOperators.row("LabelEncoder", make: classes),
    FeatureOperators.row("LabelEncoder", since: 2) { context throws(EngineError) in
      let keys = try list("keys", context)
      let values = try list("values", context)
      guard keys.count == values.count else {
        throw context.invalid("\(keys.count) keys stand beside \(values.count) values")
      }
      let type = try context.type(0)
      guard type == keys.type else {
        throw context.invalid("its keys are \(keys.type.name), its input is \(type.name)")
      }
      return step(keys, values, try fallback(values, context))
    },
  ]

  /// The first form: classes to their places in a list, or places to classes.
  @Sendable private static func classes(_ context: NodeContext) throws(EngineError) -> any Step {
    let classes = List.string(try StringTable(context.node.strings("classes_strings") ?? []))
    let places = List.int64((0..<Int64(classes.count)).map { $0 })
    switch try context.type(0) {
    case .string: return step(classes, places, try fallback(places, context))
    case .int64: return step(places, classes, try fallback(classes, context))
    case let type: throw context.unsupported(type)
    }
  }

  /// A list of keys or values of one type.
  private enum List {
    case int64([Int64])
    case float32([Float])
    case float64([Double])
    case string(StringTable)

    var count: Int {
      switch self {
      case .int64(let values): values.count
      case .float32(let values): values.count
      case .float64(let values): values.count
      case .string(let values): values.elements.count
      }
    }

    var type: ElementType {
      switch self {
      case .int64: .int64
      case .float32: .float32
      case .float64: .float64
      case .string: .string
      }
    }

    /// - Throws: `EngineError` of kind `unsupported` for other types.
    init(_ tensor: Tensor, _ context: NodeContext) throws(EngineError) {
      do throws(FormatError) {
        switch (tensor.elementType, tensor.storage) {
        case (.int64, _): self = .int64(try tensor.elements(as: Int64.self))
        case (.float32, _): self = .float32(try tensor.elements(as: Float.self))
        case (.float64, _): self = .float64(try tensor.elements(as: Double.self))
        case (.string, .strings(let strings)):
          self = .string(try StringTable.table(strings))
        default: throw FormatError(.unsupported, "a list of \(tensor.elementType.name) is not supported")
        }
      } catch {
        throw EngineError(.unsupported, error.message, node: context.node.label)
      }
    }
  }

  private static func list(_ name: String, _ context: NodeContext) throws(EngineError) -> List {
    let node = context.node
    if let values = node.ints("\(name)_int64s") { return .int64(values.map(Int64.init)) }
    if let values = node.floats("\(name)_floats") { return .float32(values) }
    if let values = node.strings("\(name)_strings") { return .string(try StringTable(values)) }
    if case .tensor(let tensor) = node.attribute("\(name)_tensor") { return try List(tensor, context) }
    throw context.invalid("it has no list of \(name)")
  }

  /// What stands for elements without a key.
  private static func fallback(_ values: List, _ context: NodeContext) throws(EngineError) -> List {
    if case .tensor(let tensor) = context.node.attribute("default_tensor") {
      let list = try List(tensor, context)
      guard list.type == values.type, list.count == 1 else {
        throw context.invalid("default_tensor is not one value of type \(values.type.name)")
      }
      return list
    }
    switch values {
    case .int64: return .int64([Int64(context.int("default_int64", default: -1))])
    case .float32: return .float32([context.float("default_float", default: -0.0)])
    case .float64: return .float64([Double(context.float("default_float", default: -0.0))])
    case .string: return .string(try StringTable([Array(context.node.text("default_string", default: "_Unused").utf8)]))
    }
  }

  private static func step(_ keys: List, _ values: List, _ fallback: List) -> any Step {
    switch keys {
    case .int64(let keys): step(keys, values, fallback) { _ in false }
    case .float32(let keys): step(keys, values, fallback) { $0.isNaN }
    case .float64(let keys): step(keys, values, fallback) { $0.isNaN }
    case .string(let keys): step(keys.elements, values, fallback, keeping: [keys]) { _ in false }
    }
  }

  private static func step<Key: TensorScalar & Hashable>(
    _ keys: [Key], _ values: List, _ fallback: List, keeping tables: [StringTable] = [],
    _ isNaN: @escaping @Sendable (Key) -> Bool
  ) -> any Step {
    switch (values, fallback) {
    case (.int64(let values), .int64(let fallback)): LabelEncoderStep(keys, values, fallback[0], isNaN, tables)
    case (.float32(let values), .float32(let fallback)): LabelEncoderStep(keys, values, fallback[0], isNaN, tables)
    case (.float64(let values), .float64(let fallback)): LabelEncoderStep(keys, values, fallback[0], isNaN, tables)
    case (.string(let values), .string(let fallback)):
      LabelEncoderStep(keys, values.elements, fallback.elements[0], isNaN, tables + [values, fallback])
    default: LabelEncoderStep(keys, [Int64](), -1, isNaN, tables)
    }
  }
}

/// A value for each element that is a key, and a fallback for the others. NaN is a key like any other.
struct LabelEncoderStep<Key: TensorScalar & Hashable, Value: TensorScalar>: Step {
  private let table: [Key: Value]
  private let ofNaN: Value
  private let fallback: Value
  private let isNaN: @Sendable (Key) -> Bool
  /// Holds the strings of keys and values.
  private let tables: [StringTable]
  let kernel = "label encoder"

  /// - Precondition: there are as many keys as values; of equal keys the first counts.
  init(
    _ keys: [Key], _ values: [Value], _ fallback: Value, _ isNaN: @escaping @Sendable (Key) -> Bool,
    _ tables: [StringTable]
  ) {
    table = Dictionary(zip(keys, values), uniquingKeysWith: { first, _ in first })
    ofNaN = zip(keys, values).first { isNaN($0.0) }?.1 ?? fallback
    self.fallback = fallback
    self.isNaN = isNaN
    self.tables = tables
  }

  var outputTypes: [ElementType] { [Value.elementType] }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    let step = self
    return Work([shape]) { (memory) throws(EngineError) in
      let source = memory.input(0, Key.self, count: count)
      let target = memory.output(0, Value.self, count: count)
      for index in 0..<count {
        let key = source[index]
        target[index] = step.isNaN(key) ? step.ofNaN : step.table[key] ?? step.fallback
      }
    }
  }
}
