import NNFormat

/// Small models that hold anything that a `Model` can, from a seed.
struct RandomModel: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  private static func field(_ number: Int, _ content: [UInt8]) -> [UInt8] {
    let tag = number << 3 | 2
    return (tag < 128 ? [UInt8(tag)] : [UInt8(tag & 127 | 128), UInt8(tag >> 7)]) + [UInt8(content.count)] + content
  }

  private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
  private mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
  private mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(below(256)) } }

  private mutating func list<Element>(_ bound: Int, _ make: (inout RandomModel) -> Element) -> [Element] {
    (0..<below(bound)).map { _ in make(&self) }
  }

  private mutating func text() -> String {
    ["", "a", "x\0y", "héllo", "日本", "name\(below(99))", "\u{10FFC3}"][below(7)]
  }

  private mutating func unknown() -> UnknownFields {
    guard chance(10) else { return UnknownFields() }
    return UnknownFields(bytes: [0xA2, 0x06, 3] + bytes(3) + [0xA8, 0x06, UInt8(below(128))])
  }

  private mutating func dictionary() -> TextDictionary {
    guard chance(20) else { return [:] }
    return TextDictionary(
      entries: list(4) { random in
        var entry = TextDictionary.Entry(random.text(), random.text())
        entry.unknownFields = random.unknown()
        return entry
      })
  }

  mutating func model() -> Model {
    var model = Model(graph: graph(depth: 0), operatorSets: list(3) { $0.operatorSet() }, irVersion: below(15))
    model.producerName = text()
    model.producerVersion = text()
    model.domain = text()
    model.modelVersion = below(3) - 1
    model.docString = text()
    model.functions = list(3) { $0.function() }
    model.trainingInfo = list(2) { random in
      var info = TrainingInfo()
      if random.chance(70) { info.initialization = random.graph(depth: 2) }
      if random.chance(70) { info.algorithm = random.graph(depth: 2) }
      info.initializationBindings = random.dictionary()
      info.updateBindings = random.dictionary()
      info.unknownFields = random.unknown()
      return info
    }
    model.metadata = dictionary()
    model.unknownFields = unknown()
    // A configuration of devices, which is kept as it is encoded.
    if chance(20) { model.unknownFields.bytes = Self.field(26, [0x0A, 1, 0x61, 0x10, 2]) + model.unknownFields.bytes }
    return model
  }

  private mutating func operatorSet() -> OperatorSetImport { OperatorSetImport(domain: text(), version: below(25)) }

  private mutating func function() -> Function {
    var function = Function(
      name: text(), domain: text(), inputs: list(3) { $0.text() }, outputs: list(3) { $0.text() },
      nodes: list(3) { $0.node(depth: 2) })
    function.overload = text()
    function.attributeNames = list(3) { $0.text() }
    function.attributes = list(3) { $0.attribute(depth: 3) }
    function.operatorSets = list(3) { $0.operatorSet() }
    function.valueInfo = list(3) { $0.value() }
    function.docString = text()
    function.metadata = dictionary()
    function.unknownFields = unknown()
    return function
  }

  private mutating func graph(depth: Int) -> Graph {
    var graph = Graph(
      name: text(), inputs: list(3) { $0.value() }, outputs: list(3) { $0.value() },
      nodes: list(4) { $0.node(depth: depth) })
    graph.docString = text()
    graph.valueInfo = list(3) { $0.value() }
    graph.initializers = list(4) { random in
      Initializer(name: random.text(), tensor: random.tensor(isNamed: false))
    }
    graph.sparseInitializers = list(2) { random in (random.text(), random.sparseTensor(isNamed: false)) }
    graph.quantizationAnnotations = list(2) { random in
      QuantizationAnnotation(tensorName: random.text(), parameters: random.dictionary())
    }
    graph.metadata = dictionary()
    graph.unknownFields = unknown()
    return graph
  }

  private mutating func node(depth: Int) -> Node {
    var node = Node(
      name: text(), text(), domain: text(), inputs: list(4) { $0.text() }, outputs: list(3) { $0.text() },
      attributes: list(4) { $0.attribute(depth: depth) })
    node.overload = text()
    node.docString = text()
    node.metadata = dictionary()
    node.unknownFields = unknown()
    if chance(20) { node.unknownFields.bytes = Self.field(10, [0x0A, 1, 0x61, 0x18, 3]) + node.unknownFields.bytes }
    return node
  }

  private mutating func attribute(depth: Int) -> Attribute {
    var attribute = Attribute(text(), attributeValue(depth: depth), docString: text())
    if chance(10) {
      attribute = Attribute(text(), .float(0))
      attribute.referencedName = "outer"
    }
    attribute.unknownFields = unknown()
    return attribute
  }

  private mutating func attributeValue(depth: Int) -> AttributeValue {
    switch below(depth < 3 ? 14 : 12) {
    case 0: .float([0, -0.0, 1.5, .infinity][below(4)])
    case 1: .int([0, -1, .max, .min][below(4)])
    case 2: .string(bytes(below(4)))
    case 3: .tensor(tensor())
    case 4: .sparseTensor(sparseTensor())
    case 5: .type(type(depth: 0))
    case 6: .floats(list(4) { Float($0.below(5)) })
    case 7: .ints(list(4) { Int64($0.below(5) - 2) })
    case 8: .strings(list(4) { random in random.bytes(random.below(4)) })
    case 9: .tensors(list(3) { $0.tensor() })
    case 10: .sparseTensors(list(3) { $0.sparseTensor() })
    case 11: .types(list(3) { $0.type(depth: 0) })
    case 12: .graph(graph(depth: depth + 1))
    default: .graphs(list(3) { $0.graph(depth: depth + 1) })
    }
  }

  private mutating func value() -> Value {
    var value = Value(
      name: text(), type: chance(80) ? type(depth: 0) : nil, docString: text(), metadata: dictionary())
    value.unknownFields = unknown()
    return value
  }

  private mutating func elementType() -> ElementType { ElementType.allCases[below(ElementType.allCases.count)] }

  private mutating func type(depth: Int) -> ValueType {
    let shape: Shape? =
      chance(80)
      ? Shape(
        list(4) { random in [.known(random.below(9)), .symbolic("n\(random.below(3))"), .unknown][random.below(3)] })
      : nil
    switch below(depth < 3 ? 8 : 4) {
    case 0: return .sparseTensor(elementType(), shape)
    case 4: return .sequence(type(depth: depth + 1))
    case 5: return .optional(type(depth: depth + 1))
    case 6: return .map(key: .int64, value: type(depth: depth + 1))
    default: return .tensor(elementType(), shape)
    }
  }

  private mutating func sparseTensor(isNamed: Bool = true) -> SparseTensor {
    var sparse = SparseTensor(values: tensor(isNamed: isNamed), indices: tensor(), shape: list(3) { $0.below(9) })
    sparse.unknownFields = unknown()
    return sparse
  }

  private mutating func tensor(isNamed: Bool = true) -> Tensor {
    let elementType = elementType()
    let shape = list(4) { $0.below(4) }
    let count = shape.reduce(1, *)
    var storage = TensorStorage.strings((0..<count).map { _ in bytes(below(4)) })
    if let byteCount = elementType.byteCount(of: count) {
      var content = bytes(byteCount)
      if elementType == .bool { content = content.map { $0 & 1 } }
      if elementType.bitWidth == 6 { content = [UInt8](repeating: 0, count: byteCount) }
      storage = .owned(AlignedBytes(copying: content))
    }
    guard var tensor = try? Tensor(elementType: elementType, shape: shape, storage: storage) else {
      return Tensor([Float]())
    }
    if elementType == .string || chance(50) { tensor.encoding.placement = .typed }
    if isNamed { tensor.name = text() }
    tensor.docString = text()
    tensor.metadata = dictionary()
    tensor.unknownFields = unknown()
    return tensor
  }
}
