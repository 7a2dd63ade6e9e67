import NNFormat
import Testing

/// Numbers that no sane file states, in every place where conversions read one: an error of ours, never a trap.
@Suite struct HostileNumberTests {
  /// A node over `x` of shape (2, 4), with constants behind it and one output or two.
  private func model(
    _ operatorType: String, _ constants: [Tensor] = [], _ attributes: [Attribute] = [],
    outputs: [String] = ["y"],
    version: Int = 18, type: ElementType = .float32
  ) -> Model {
    let names = constants.indices.map { "c\($0)" }
    var graph = Graph()
    graph.inputs = [Value(name: "x", elementType: type, shape: [2, 4])]
    graph.outputs = outputs.map { Value(name: $0, elementType: type, shape: [.unknown, .unknown]) }
    graph.nodes = [
      Node(name: "n", operatorType, inputs: ["x"] + names, outputs: outputs, attributes: attributes)
    ]
    graph.initializers = zip(names, constants).map { Initializer(name: $0, tensor: $1) }
    return Model(graph: graph, operatorSets: [OperatorSetImport(version: version)], irVersion: 8)
  }

  private static let integers: [Int64] = [
    .min, .min + 1, -1 << 31, 1 << 31, 1 << 53 + 1, .max - 1, .max,
  ]

  /// Everything that is done with a graph short of running it.
  private func handle(_ model: Model) {
    let file = ModelFile(path: "m.onnx", content: .onnx(model))
    _ = ModelValidator.findings(in: file)
    _ = ModelReport(file).json.text()
    for version in [
      KerasModel.operatorSetVersions.lowerBound, 17, KerasModel.operatorSetVersions.upperBound,
    ] {
      _ = try? model.moved(toOperatorSet: version)
    }
    for target in ["m.keras", "m.h5"] {
      if let made = try? Conversion().converted(file, for: target).file {
        _ = try? Conversion().converted(made, for: "b.onnx")
      }
    }
  }

  @Test(arguments: integers) func constantsAreNotTrapped(_ number: Int64) {
    for operatorType in [
      "ReduceMean", "ReduceSum", "ReduceMax", "Unsqueeze", "Squeeze", "Tile", "Reshape", "Expand",
      "Split", "Pad",
      "Slice", "Gather", "OneHot", "Add", "Mod", "Max", "Clip", "TopK", "CumSum", "Range", "Where",
    ] {
      for type in [ElementType.float32, .int64] {
        for values in [[number], [0, number], [1, number, 1, number]] {
          for count in [1, 3] {
            let constants = Array(repeating: Tensor(values), count: count)
            handle(model(operatorType, constants, type: type))
            handle(model(operatorType, constants, outputs: ["y", "z"], version: 13, type: type))
          }
        }
      }
    }
  }

  @Test(arguments: integers) func attributesAreNotTrapped(_ number: Int64) {
    for (operatorType, name) in [
      ("Cast", "to"), ("Split", "num_outputs"), ("Split", "axis"), ("Softmax", "axis"),
      ("Flatten", "axis"),
      ("LayerNormalization", "axis"), ("ArgMax", "axis"), ("Concat", "axis"), ("TopK", "axis"),
      ("Gather", "axis"),
      ("GatherND", "batch_dims"), ("DepthToSpace", "blocksize"), ("Shape", "start"),
      ("Shape", "end"), ("Hardmax", "axis"),
      ("LpPool", "p"), ("EyeLike", "dtype"), ("EyeLike", "k"), ("OneHot", "axis"),
      ("CumSum", "exclusive"),
    ] {
      for version in [13, 18, 21] {
        for constants in [[], [Tensor([Int64(1)], shape: [])]] {
          handle(model(operatorType, constants, [Attribute(name, .int(number))], version: version))
          handle(
            model(
              operatorType, constants, [Attribute(name, .int(number))], outputs: ["y", "z"],
              version: version))
        }
      }
    }
    for (operatorType, name) in [
      ("ReduceMean", "axes"), ("Transpose", "perm"), ("MaxPool", "kernel_shape"),
      ("MaxPool", "strides"),
      ("MaxPool", "pads"), ("AveragePool", "dilations"), ("CenterCropPad", "axes"),
    ] {
      for values in [[number], [number, number], [0, number, 1, number]] {
        handle(model(operatorType, [], [Attribute(name, .ints(values))], version: 13))
      }
    }
  }

  /// 64-bit integers are the same behind every conversion, digit for digit.
  @Test(arguments: [1 << 53 + 1, .max, .min + 1] as [Int64]) func integersKeepTheirDigits(
    _ number: Int64
  ) throws {
    let moved = try model("ReduceMean", [Tensor([number])]).moved(toOperatorSet: 13).model
    #expect(moved.graph.nodes.first?.ints("axes") == [Int(number)])
    let argument = try KerasModel.raised(
      from: model("Mod", [Tensor([number, 1, 2, 3], shape: [1, 4])], type: .int64), layout: .archive
    ).model
    #expect(argument.configuration?.text().contains("\(number)") == true)
  }

  /// What is no integer is not rounded to one.
  @Test func axesThatAreNoWholeNumbersAreRefused() {
    for axes in [[Double.nan, 1e300], [0.5], [1e19]] {
      let model = model("ReduceMean", [Tensor(axes)])
      #expect(throws: FormatError.self) { try model.moved(toOperatorSet: 13) }
      handle(model)
    }
    #expect(throws: FormatError.self) {
      try model("ReduceMean", [Tensor([UInt64.max])]).moved(toOperatorSet: 13)
    }
    // An argument beyond what a number of Keras's configuration is read back as.
    handle(model("Mod", [Tensor([UInt64.max, 1, 2, 3], shape: [1, 4])], type: .uint64))
  }

  /// `num_outputs` is as many as there are outputs, or the node says nothing sane.
  @Test func partsAreAsManyAsOutputs() throws {
    func split(_ parts: Int64) -> Model {
      model(
        "Split", [], [Attribute("num_outputs", .int(parts)), Attribute("axis", .int(1))],
        outputs: ["a", "b", "c"])
    }
    let moved = try split(3).moved(toOperatorSet: 17).model
    let sizes = try moved.graph.initializers.first?.tensor.elements(as: Int64.self)
    #expect(sizes == [2, 2, 0])
    for parts in Self.integers + [0, 2, 4] {
      #expect(throws: FormatError.self) { try split(parts).moved(toOperatorSet: 17) }
    }
  }

  /// Comparison with a model of few bits undoes what such attributes would say of blocks.
  @Test(arguments: integers + [1, 3, 16]) func blocksAreNotTrapped(_ number: Int64) {
    var plain = model("MatMul", [Tensor([Float](repeating: 0.5, count: 12), shape: [4, 3])])
    plain.graph.nodes[0].name = "y"
    let codes = Tensor([UInt8](repeating: 17, count: 24), shape: [3, 1, 8])
    let scales = Tensor([Float](repeating: 1, count: 3))
    for name in ["K", "N", "bits", "block_size"] {
      let attributes = [("K", 4), ("N", 3), ("bits", 4), ("block_size", 16)].map { key, value in
        Attribute(key, .int(key == name ? number : value))
      }
      var packed = model("MatMulNBits", [codes, scales], attributes)
      packed.graph.nodes[0].domain = "com.microsoft"
      packed.operatorSets.append(OperatorSetImport(domain: "com.microsoft", version: 1))
      compare(plain, packed)
    }
    for axis in [0, 1, number] {
      var linear = model("MatMul")
      linear.graph.nodes[0].inputs.append("w")
      linear.graph.nodes.insert(
        Node(
          "DequantizeLinear", inputs: ["codes", "scales"], outputs: ["w"],
          attributes: [Attribute("axis", .int(axis)), Attribute("block_size", .int(number))]), at: 0)
      linear.graph.initializers = [
        Initializer(name: "codes", tensor: Tensor([Int8](repeating: 1, count: 12), shape: [4, 3])),
        Initializer(name: "scales", tensor: Tensor([Float](repeating: 1, count: 3), shape: [1, 3])),
      ]
      compare(plain, linear)
    }
  }

  private func compare(_ one: Model, _ other: Model) {
    let files = [one, other].map { ModelFile(path: "m.onnx", content: .onnx($0)) }
    _ = try? ModelComparison(files[0], files[1])
    _ = try? ModelComparison(files[1], files[0])
    handle(other)
  }

  /// A table of whole numbers that begins next to the end of what there is.
  @Test(arguments: integers) func lookupsAreNotTrapped(_ number: Int64) {
    for table in [[0, 1, 2, 0], [number, .max, 0, number]] as [[Int64]] {
      var model = model(
        "Clip", [Tensor([number], shape: []), Tensor([number &+ 3], shape: [])], outputs: ["c"],
        type: .int64)
      model.graph.initializers += [
        Initializer(name: "below", tensor: Tensor([number], shape: [])),
        Initializer(name: "table", tensor: Tensor(table)),
      ]
      model.graph.nodes += [
        Node("Sub", inputs: ["c", "c0"], outputs: ["p"]),
        Node("Gather", inputs: ["table", "p"], outputs: ["y"]),
      ]
      model.graph.outputs = [Value(name: "y", elementType: .int64, shape: [2, 4])]
      handle(model)
    }
  }
}

/// Configurations of Keras that state such numbers.
@Suite struct HostileConfigurationTests {
  private static let numbers = [Int.min, .min + 1, -1, 0, 1 << 62 + 1, .max]

  private func handle(_ keras: KerasModel) {
    let file = ModelFile(path: "m.keras", content: .keras(keras))
    _ = ModelValidator.findings(in: file)
    _ = ModelReport(file).json.text()
    for target in ["m.onnx", "m.h5"] { _ = try? Conversion().converted(file, for: target) }
  }

  @Test(arguments: numbers) func operationsAreNotTrapped(_ number: Int) throws {
    for input in [
      "[null, null]", "[null, 4]", "[null, \(number)]", "[null, 9223372036854775807]",
      "[null, 4, 4]",
    ] {
      for (name, configuration) in [
        ("Roll", "\"shift\": \(number), \"axis\": 1"), ("Roll", "\"shift\": \(number)"),
        ("Roll", "\"shift\": 9223372036854775806, \"axis\": 1"),
        ("GetItem", "\"key\": [0, \(number)]"),
        ("GetItem", "\"key\": \(number)"),
        ("Split", "\"indices_or_sections\": \(number), \"axis\": 1"),
        ("Split", "\"indices_or_sections\": [\(number), \(number)], \"axis\": 1"),
        ("Tril", "\"k\": \(number)"),
        ("Repeat", "\"repeats\": \(number), \"axis\": 1"), ("Tile", "\"repeats\": [1, \(number)]"),
        ("Pad", "\"pad_width\": [[\(number), \(number)]]"), ("Diff", "\"n\": \(number)"),
        ("OneHot", "\"num_classes\": \(number)"), ("ExpandDims", "\"axis\": \(number)"),
        ("Reshape", "\"newshape\": [1, \(number)]"), ("TopK", "\"k\": \(number)"),
        ("Round", "\"decimals\": \(number)"),
        ("Argmax", "\"axis\": \(number)"), ("Mean", "\"axis\": [\(number)]"),
        ("Unstack", "\"num\": \(number)"),
        (
          "Dense",
          "\"units\": \(number), \"dtype\": {\"class_name\": \"QuantizedDTypePolicy\", \"config\": {\"mode\": \"int4/\(number)\", \"source_name\": \"float32\"}}"
        ),
        (
          "Conv1D",
          "\"filters\": \(number), \"kernel_size\": \(number), \"dilation_rate\": \(number), \"strides\": \(number)"
        ),
        ("LSTM", "\"units\": \(number), \"return_sequences\": true"),
        ("Embedding", "\"input_dim\": \(number), \"output_dim\": \(number)"),
        ("RepeatVector", "\"n\": \(number)"),
        ("IntegerLookup", "\"vocabulary\": [\(number), 1], \"num_oov_indices\": \(number)"),
        ("CategoryEncoding", "\"num_tokens\": \(number)"),
        ("Cropping1D", "\"cropping\": [\(number), \(number)]"),
        ("ZeroPadding1D", "\"padding\": \(number)"), ("Activation", "\"activation\": \"sparsemax\""),
        ("Activation", "\"activation\": \"glu\""),
        ("UpSampling1D", "\"size\": \(number)"),
        ("BatchNormalization", "\"axis\": \(number)"),
        ("LayerNormalization", "\"axis\": [\(number)]"),
        ("GroupNormalization", "\"groups\": \(number), \"axis\": \(number)"),
        ("Softmax", "\"axis\": \(number)"),
        ("Permute", "\"dims\": [\(number)]"), ("Dot", "\"axes\": \(number)"),
        ("MaxPooling1D", "\"pool_size\": \(number)"),
      ] {
        if let model = try? oneLayer(name, configuration, input: input) { handle(model) }
      }
    }
  }

  /// Kernels of four bits in the floating point that they stand for, where the configuration says how they are packed.
  @Test(arguments: numbers) func packedKernelsAreNotTrapped(_ number: Int) throws {
    func model(_ mode: String?, units: Int, _ weights: [(String, Tensor)]) throws -> KerasModel {
      let policy = mode.map {
        "{\"class_name\": \"QuantizedDTypePolicy\", \"config\": {\"mode\": \"\($0)\", \"source_name\": \"float32\"}}"
      }
      let layer =
        "{\"class_name\": \"Dense\", \"config\": {\"name\": \"l\", \"units\": \(units), \"use_bias\": false, \"dtype\": \(policy ?? "\"float32\"")}}"
      let input = "{\"class_name\": \"InputLayer\", \"config\": {\"name\": \"x\", \"batch_shape\": [null, 1]}}"
      var model = try legacyModel("\(input), \(layer)", weights: [("l", weights.map { ($0.0, $0.1.shape) })])
      model.replaceWeights(
        Dictionary(uniqueKeysWithValues: weights.map { ("/l/\($0.0)", $0.1) }))
      return model
    }
    let plain = try model(nil, units: 3, [("kernel", Tensor([1, 2, 3] as [Float], shape: [1, 3]))])
    for (mode, units) in [("int4/\(number)", 3), ("int4/-1", number), ("int4/32", number), ("int8", number)] {
      let packed = try model(
        mode, units: units,
        [
          ("kernel", Tensor([17, 1] as [Int8], shape: [1, 2])), ("kernel_scale", Tensor([1, 1, 1] as [Float])),
          ("kernel_zero", Tensor([0, 0, 0] as [Float])), ("g_idx", Tensor([0] as [Float])),
        ])
      let files = [plain, packed].map { ModelFile(path: "m.h5", content: .keras($0)) }
      _ = try? ModelComparison(files[0], files[1])
      handle(packed)
    }
  }

  /// Modes of quantised layers that state no number of bits.
  @Test(arguments: ["0", "-1", "9223372036854775807", "4"]) func modesOfNoBitsAreShown(_ bits: String) throws {
    let policy =
      "{\"class_name\": \"QuantizedDTypePolicy\", \"config\": {\"mode\": \"gptq/\(bits)/32\", \"source_name\": \"float32\"}}"
    let layer =
      "{\"class_name\": \"Dense\", \"config\": {\"name\": \"l\", \"units\": 2, \"use_bias\": false, \"dtype\": \(policy)}}"
    let input = "{\"class_name\": \"InputLayer\", \"config\": {\"name\": \"x\", \"batch_shape\": [null, 4]}}"
    let model = try legacyModel(
      "\(input), \(layer)",
      weights: [
        ("l", [("quantized_kernel", [2, 4]), ("kernel_scale", [1, 2]), ("kernel_zero", [1, 2]), ("g_idx", [4])])
      ])
    let text = ModelReport(ModelFile(path: "m.h5", content: .keras(model))).json.text()
    #expect(text.contains("gptq uint4") == (bits == "4"))
    handle(model)
  }

  /// Step counts of optimizers beyond what any training makes.
  @Test func stepsOfOptimizersAreChecked() throws {
    func slots(_ step: Tensor) throws -> OptimizerSlots? {
      let state = OptimizerSlots(step: 1, learningRate: 0.1, slots: [])
      var model = try oneLayer("Dense", "\"units\": 1").remembering(state, of: .sgd())
      model.optimizer?.variables[0].value = .success(step)
      return try model.optimizerSlots(of: .sgd(), variableCount: 1)
    }
    #expect(try slots(Tensor([Int64(7)], shape: []))?.step == 7)
    #expect(try slots(Tensor([Int64(1) << 53], shape: []))?.step == 1 << 53)
    let hostile = [
      Tensor([Int64.max], shape: []), Tensor([Int64.max - 1023], shape: []),
      Tensor([Int64.min], shape: []),
      Tensor([Int64(-5)], shape: []), Tensor([UInt64.max], shape: []),
      Tensor([Float.nan], shape: []),
      Tensor([Float(0.5)], shape: []), Tensor([] as [Int64]), Tensor([1, 2] as [Int64]),
    ]
    for step in hostile {
      #expect(throws: FormatError.self, "\(step.elementType) \(step.shape)") { try slots(step) }
    }
  }
}
