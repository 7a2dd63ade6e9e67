import NNEngine
import NNFormat
import Testing

/// Values of every element type: moved, cast, compared.
@Suite struct ElementTypeTests {
  private static let numbers = ElementType.allCases.filter { ![.string, .complex64, .complex128].contains($0) }

  private func strings(_ texts: [String], _ shape: [Int]? = nil) throws -> Tensor {
    try Tensor(
      elementType: .string, shape: shape ?? [texts.count], storage: .strings(texts.map { Array($0.utf8) }))
  }

  /// Runs one operator; inputs behind `constants` are initializers.
  private func run(
    _ type: String, _ inputs: [Tensor], _ attributes: [Attribute] = [], constants: Int? = nil, version: Int = 25,
    outputs: Int = 1
  ) throws -> [Tensor] {
    var example = OperatorCase(
      type: type, inputs: inputs, attributes: attributes, outputs: outputs, version: version)
    example.constants = Set((constants ?? inputs.count)..<max(constants ?? inputs.count, inputs.count))
    let (sketch, given) = example.sketch
    return try sketch.run(given)
  }

  /// Elements 0, 1, 2 ... of a type, as far as it tells them apart.
  private func sample(_ type: ElementType, _ shape: [Int]) throws -> Tensor {
    let count = shape.reduce(1, *)
    switch type {
    case .string: return try strings((0..<count).map { String(repeating: "é", count: $0) }, shape)
    case .complex64, .complex128:
      let width = type == .complex64 ? 8 : 16
      let bytes = AlignedBytes(copying: (0..<count * width).map { UInt8(truncatingIfNeeded: $0 * 31) })
      return try Tensor(elementType: type, shape: shape, storage: .owned(bytes))
    case .bool: return Tensor((0..<count).map { $0 % 3 == 1 }, shape: shape)
    default: return try Tensor((0..<count).map { Double($0 % 2) }, shape: shape).converted(to: type)
    }
  }

  // MARK: Moving

  /// Every way of moving elements, and for each position of the result the position in the source.
  private static let moves: [(String, [Tensor], [Attribute], [Int], [Int])] = [
    ("Transpose", [], [], [3, 2], [0, 3, 1, 4, 2, 5]),
    ("Reshape", [Tensor([Int64(3), 2])], [], [3, 2], [0, 1, 2, 3, 4, 5]),
    ("Flatten", [], [Attribute("axis", .int(0))], [1, 6], [0, 1, 2, 3, 4, 5]),
    (
      "Slice", [Tensor([Int64(2)]), Tensor([Int64(-9)]), Tensor([Int64(1)]), Tensor([Int64(-2)])], [], [2, 2],
      [2, 0, 5, 3]
    ),
    ("Gather", [Tensor([Int64(2), 0])], [Attribute("axis", .int(1))], [2, 2], [2, 0, 5, 3]),
    ("Tile", [Tensor([Int64(1), 2])], [], [2, 6], [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]),
    ("Expand", [Tensor([Int64(1), 2, 3])], [], [1, 2, 3], [0, 1, 2, 3, 4, 5]),
    ("Unsqueeze", [Tensor([Int64(0)])], [], [1, 2, 3], [0, 1, 2, 3, 4, 5]),
    ("Identity", [], [], [2, 3], [0, 1, 2, 3, 4, 5]),
  ]

  @Test(arguments: ElementType.allCases) func elementsMoveAsTheyAre(_ type: ElementType) throws {
    let source = try sample(type, [2, 3])
    let elements = try (0..<6).map { try Self.element($0, of: source) }
    for (name, parameters, attributes, shape, places) in Self.moves {
      for constants in [0, 1] {
        let result = try run(name, [source] + parameters, attributes, constants: constants)[0]
        #expect(result.elementType == type && result.shape == shape, "\(name) \(type)")
        let moved = try places.indices.map { try Self.element($0, of: result) }
        #expect(moved == places.map { elements[$0] }, "\(name) \(type), constant from \(constants)")
      }
    }
  }

  @Test(arguments: ElementType.allCases) func elementsAreJoinedCutAndChosen(_ type: ElementType) throws {
    let source = try sample(type, [2, 3])
    let elements = try (0..<6).map { try Self.element($0, of: source) }
    let joined = try run("Concat", [source, source], [Attribute("axis", .int(1))])[0]
    #expect(
      try (0..<12).map { try Self.element($0, of: joined) }
        == [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5].map { elements[$0] })
    let cut = try run(
      "Split", [source, Tensor([Int64(1), 2])], [Attribute("axis", .int(1))], constants: 1, outputs: 2)
    #expect(try (0..<4).map { try Self.element($0, of: cut[1]) } == [1, 2, 4, 5].map { elements[$0] })
    let swapped = try run("Transpose", [source])[0].reshaped(to: [2, 3])
    let others = try (0..<6).map { try Self.element($0, of: swapped) }
    let chosen = try run("Where", [Tensor([true, false, true]), source, swapped])[0]
    #expect(
      try (0..<6).map { try Self.element($0, of: chosen) } == (0..<6).map { $0 % 3 == 1 ? others[$0] : elements[$0] })
  }

  /// The bits of one element, or the bytes of a string.
  private static func element(_ index: Int, of tensor: Tensor) throws -> [UInt8] {
    if case .strings(let strings) = tensor.storage { return strings[index] }
    let bytes = try unsafe tensor.withBytes { bytes in unsafe [UInt8](bytes) }
    guard let width = tensor.elementType.bitWidth, width >= 8 else {
      return [PackedElements.unpacked(bytes, tensor.elementType, count: tensor.count)[index]]
    }
    return Array(bytes[index * width / 8..<(index + 1) * width / 8])
  }

  // MARK: Casting

  @Test(arguments: numbers) func castsBetweenAllNumbers(_ source: ElementType) throws {
    // What every type holds; powers of two have no zero.
    for target in Self.numbers {
      let values: [Double] = source == .float8e8m0 || target == .float8e8m0 ? [1, 1] : [0, 1]
      let tensor = try Tensor(values).converted(to: source)
      for (name, inputs, attributes) in [
        ("Cast", [tensor], [Attribute("to", .int(Int64(target.rawValue)))]),
        ("CastLike", [tensor, try Tensor([Double]()).converted(to: target)], []),
      ] {
        let result = try run(name, inputs, attributes)[0]
        #expect(result.elementType == target, "\(name) \(source) \(target)")
        #expect(try result.doubles() == values, "\(name) \(source) \(target)")
      }
    }
  }

  private func cast(_ tensor: Tensor, to type: ElementType, _ more: [Attribute] = []) throws -> Tensor {
    try run("Cast", [tensor], [Attribute("to", .int(Int64(type.rawValue)))] + more)[0]
  }

  @Test func castsThatLoseSomething() throws {
    #expect(try cast(Tensor([Int16(200), -129]), to: .int8).elements(as: Int8.self) == [-56, 127])
    #expect(try cast(Tensor([Int32(9), -9, 17]), to: .int4).doubles() == [-7, 7, 1])
    #expect(try cast(Tensor([Float(9.9), -1.9, 15]), to: .uint4).doubles() == [9, 15, 15])
    #expect(try cast(Tensor([Double(1e300), -3.7, .nan]), to: .int32).elements(as: Int32.self) == [.max, -3, 0])
    #expect(try cast(Tensor([UInt64.max]), to: .float32).elements(as: Float.self) == [0x1p64])
    #expect(try cast(Tensor([Float.nan, 0, -0.0, 0.5]), to: .bool).doubles() == [1, 0, 0, 1])
    // 1 + 2^-8 + 2^-40 is nearer to the larger bfloat16; by way of a float it would be a tie.
    #expect(try cast(Tensor([1 + 0x1p-8 + 0x1p-40]), to: .bfloat16).doubles() == [1 + 0x1p-7])
    #expect(try cast(Tensor([Float(1000)]), to: .float8e4m3fn).doubles() == [448])
    let unsaturated = try cast(Tensor([Float(1000)]), to: .float8e4m3fn, [Attribute("saturate", .int(0))])
    #expect(try unsaturated.doubles()[0].isNaN)
    let rounded = try ["up", "down", "nearest"].map {
      try cast(Tensor([Float(1.5), 2.5]), to: .float8e8m0, [Attribute("round_mode", .text($0))]).doubles()
    }
    #expect(rounded == [[2, 4], [1, 2], [2, 2]])
  }

  @Test func castsOfStrings() throws {
    let texts = ["3.5", " -7", "1e-5", "1E8", "+INF", "inf", "-Inf", "NaN"]
    let floats = try cast(strings(texts), to: .float32).elements(as: Float.self)
    #expect(floats.dropLast() == [3.5, -7, 1e-5, 1e8, .infinity, .infinity, -.infinity] && floats.last?.isNaN == true)
    let whole = ["9007199254740993", "-1", "100.5"]
    #expect(try cast(strings(whole), to: .int64).elements(as: Int64.self) == [9_007_199_254_740_993, -1, 100])
    #expect(throws: EngineError.self) { try cast(strings(["Hello"]), to: .float32) }
    let numbers = try cast(Tensor([Float(314.15926), 1e-7, -2.5e20, 3, .infinity, .nan]), to: .string).texts()
    #expect(numbers == ["314.15927", "0.0000001", "-250000000000000000000.0", "3.0", "inf", "nan"])
    #expect(try cast(Tensor([UInt64.max]), to: .string).texts() == ["18446744073709551615"])
    let long = (0..<3000).map { Double($0) / 7 }
    let back = try cast(cast(Tensor(long), to: .string), to: .float64)
    #expect(try back.elements(as: Double.self) == long)
  }

  @Test func firstVersionOfCastNamesItsType() throws {
    let result = try run("Cast", [Tensor([Float(1.5)])], [Attribute("to", .text("INT32"))], version: 1)[0]
    #expect(try result.elements(as: Int32.self) == [1])
  }

  // MARK: Computing

  @Test func stringsAreEqualByTheirBytes() throws {
    let (left, right) = (try strings(["a", "", "bc", "bc"], [2, 2]), try strings(["a", "bc"]))
    #expect(try run("Equal", [left, right])[0].doubles() == [1, 0, 0, 1])
    #expect(try run("Equal", [left, right], constants: 1)[0].doubles() == [1, 0, 0, 1])
  }

  @Test func stringsOfOneRunDoNotReachTheNext() throws {
    var sketch = GraphSketch()
    sketch.input("x", [.symbolic("n")], .int64)
    sketch.constant("unit", try strings([" cm"]))
    sketch.node("Cast", ["x"], ["text"], [Attribute("to", .int(Int64(ElementType.string.rawValue)))])
    sketch.node("Concat", ["text", "unit"], ["y"], [Attribute("axis", .int(0))])
    sketch.output("y")
    let context = try ExecutionContext(plan: ExecutionPlan(sketch.model))
    var kept: [Tensor] = []
    for number in [Int64(1), 22, 333] { kept.append(try context.run([Tensor([number, number])])[0]) }
    #expect(try kept.map { try $0.texts() } == [["1", "1", " cm"], ["22", "22", " cm"], ["333", "333", " cm"]])
  }

  @Test func powersOfMixedTypes() throws {
    let ints = Tensor([Int32(3), -2, 7])
    #expect(try run("Pow", [ints, Tensor([Float(2), 3, 0.5])])[0].elements(as: Int32.self) == [9, -8, 2])
    #expect(try run("Pow", [ints, Tensor([Int64(2), 3, 1])])[0].elements(as: Int32.self) == [9, -8, 7])
    #expect(try run("Pow", [Tensor([Int8(3)]), Tensor([UInt64(300)])])[0].elements(as: Int8.self) == [113])
    #expect(
      try run("Pow", [Tensor([Float(2)]), Tensor([Double(0.5)])])[0].elements(as: Float.self) == [Float(2).squareRoot()]
    )
  }

  @Test func booleansReduce() throws {
    let values = Tensor([true, false, false, false], shape: [2, 2])
    let axes = Tensor([Int64(1)])
    #expect(try run("ReduceMax", [values, axes], constants: 1)[0].doubles() == [1, 0])
    #expect(try run("ReduceMin", [values, axes], constants: 1)[0].doubles() == [0, 0])
  }

  @Test(arguments: [ElementType.float16, .bfloat16]) func rangesOf16Bits(_ type: ElementType) throws {
    let bounds = try [1.0, 4, 1.5].map { try Tensor([$0], shape: []).converted(to: type) }
    #expect(try run("Range", bounds)[0].doubles() == [1, 2.5])
    #expect(try run("Range", bounds, constants: 0)[0].doubles() == [1, 2.5])
  }

  // MARK: Coordinate form

  @Test func sparseConstants() throws {
    let values = try Tensor([3.0, -8]).converted(to: .int4)
    let linear = SparseTensor(values: values, indices: Tensor([Int64(1), 5]), shape: [2, 3])
    let rows = SparseTensor(values: values, indices: Tensor([Int64(0), 1, 1, 2], shape: [2, 2]), shape: [2, 3])
    for sparse in [linear, rows] {
      let result = try run("Constant", [], [Attribute("sparse_value", .sparseTensor(sparse))])[0]
      #expect(try result.shape == [2, 3] && result.doubles() == [0, 3, 0, 0, 0, -8])
      var sketch = GraphSketch()
      sketch.graph.sparseInitializers = [("w", sparse)]
      sketch.node("Identity", ["w"], ["y"])
      sketch.output("y")
      #expect(try sketch.run([])[0].doubles() == [0, 3, 0, 0, 0, -8])
    }
    let wrong = SparseTensor(values: values, indices: Tensor([Int64(1), 6]), shape: [2, 3])
    let error = #expect(throws: EngineError.self) {
      try run("Constant", [], [Attribute("sparse_value", .sparseTensor(wrong))])
    }
    #expect(error?.kind == .invalidGraph)
  }

  // MARK: Values that are no tensors

  @Test func sequencesPassThroughIdentity() throws {
    var sketch = GraphSketch()
    let type = ValueType.optional(.sequence(.tensor(.float32, nil)))
    sketch.graph.inputs.append(Value(name: "s", type: type))
    sketch.input("x", [2])
    sketch.node("Identity", ["s"], ["t"])
    sketch.node("Neg", ["x"], ["y"])
    sketch.output("t", "y")
    let network = try Network(sketch.model)
    let tensor = Tensor([Float(1), 2])
    let results = try network.run(values: ["s": .optional(.sequence([.tensor(tensor)])), "x": .tensor(tensor)])
    #expect(try results[0].value.tensor?.numbers == [-1, -2])
    guard case .optional(.sequence(let elements)?) = results[1].value else {
      Issue.record("\(results[1])")
      return
    }
    #expect(results[1].name == "t" && elements.count == 1)
    #expect(throws: EngineError.self) { try network.run(["x": tensor]) }
    #expect(throws: EngineError.self) { try network.run(values: ["s": .tensor(tensor), "x": .tensor(tensor)]) }
    sketch.graph.nodes[0].operatorType = "Relu"
    let error = #expect(throws: EngineError.self) { try Network(sketch.model) }
    #expect(error?.kind == .unsupported && error?.message.contains("optional(sequence(float32))") == true)
  }
}
