import NNFormat
import Testing

@Suite struct KerasConfigurationTests {
  /// Keras's `to_snake_case`.
  @Test(arguments: [
    ("Dense", "dense"), ("BatchNormalization", "batch_normalization"), ("Conv2D", "conv2d"), ("LSTM", "lstm"),
    ("ReLU", "re_lu"), ("PReLU", "p_re_lu"), ("GRUCell", "gru_cell"), ("LeakyReLU", "leaky_re_lu"),
    ("MaxPooling2D", "max_pooling2d"), ("ELU", "elu"), ("my_layer", "my_layer"), ("A", "a"), ("", ""),
    ("Package>MyLayer", "package_my_layer"), ("SeparableConv1D", "separable_conv1d"), ("TFSMLayer", "tfsm_layer"),
  ]) func generatedNames(_ className: String, expected: String) {
    #expect(KerasConfigurationParser.snakeCase(className) == expected)
  }

  /// The same input shape as every generation spells it.
  @Test(arguments: [
    #"{"class_name":"InputLayer","config":{"name":"i","batch_shape":[null,4]}},{"class_name":"Flatten","config":{"name":"f"}}"#,
    #"{"class_name":"InputLayer","config":{"name":"i","batch_input_shape":[null,4]}},{"class_name":"Flatten","config":{"name":"f"}}"#,
    #"{"class_name":"Flatten","config":{"name":"f","batch_input_shape":[32,4]}}"#,
    #"{"class_name":"Flatten","config":{"name":"f","input_shape":[4]}}"#,
    #"{"class_name":"Flatten","config":{"name":"f","input_dim":4}}"#,
    #"{"class_name":"Flatten","name":"f","input_dim":4}"#,
    #"{"name":"Flatten","input_shape":[4]}"#,
    #"{"class_name":"Flatten","config":{"name":"f"},"build_config":{"input_shape":[null,4]}}"#,
  ]) func inputShapes(_ layers: String) throws {
    let graph = try legacyModel(layers, version: nil).lowered().graph
    #expect(graph.inputs.map(\.shape) == [[.symbolic("batch"), 4]])
    #expect(graph.outputs.map(\.shape) == [[.symbolic("batch"), 4]])
  }

  @Test func sequentialWasABareList() throws {
    let model = try kerasModel(
      #"{"class_name": "Sequential", "config": [{"class_name": "Flatten", "config": {"name": "f", "input_dim": 3}}]}"#,
      version: "2.2.0")
    #expect(model.root?.sublayers.map(\.name) == ["f"])
    #expect(try model.operators == ["Flatten"])
  }

  @Test func generations() throws {
    for (version, generation) in [("0.3.3", 1), ("1.2.2", 1), ("2.15.0", 2), ("3.15.1", 3), ("9.0", 3), ("x", 2)] {
      #expect(try oneLayer("Flatten", "", version: version).generation == generation, "\(version)")
    }
    #expect(
      try kerasModel(#"{"module": "keras", "class_name": "Sequential", "config": {"layers": []}}"#, version: nil)
        .generation == 3)
    #expect(try kerasModel(#"{"class_name": "Sequential", "config": {"layers": []}}"#, version: nil).generation == 2)
  }

  @Test(
    arguments: [
      (#""float32""#, ElementType.float32, .float32, nil), (#""float64""#, .float64, .float64, nil),
      (#""mixed_float16""#, .float16, .float32, nil), (#""mixed_bfloat16""#, .bfloat16, .float32, nil),
      ("null", .float32, .float32, nil),
      (#"{"class_name": "DTypePolicy", "config": {"name": "bfloat16"}}"#, .bfloat16, .bfloat16, nil),
      (#"{"class_name": "Policy", "config": {"name": "mixed_float16"}}"#, .float16, .float32, nil),
      (
        #"{"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8", "source_name": "float32"}}"#, .float32,
        .float32, "int8"
      ), (#""no such type""#, .float32, .float32, nil), ("7", .float32, .float32, nil),
    ] as [(String, ElementType, ElementType, String?)])
  func policies(_ json: String, compute: ElementType, variable: ElementType, mode: String?) throws {
    let model = try oneLayer("Dropout", "\"dtype\": \(json)")
    let policy = try #require(model.root?.sublayers.last?.configuration.policy)
    #expect(policy.compute == compute)
    #expect(policy.variable == variable)
    #expect(policy.quantizationMode == mode)
  }

  @Test func repeatedNamesAreMadeDifferent() throws {
    let dense = #"{"name": "Dense", "input_dim": 2, "output_dim": 2}"#
    let names = try #require(try legacyModel("\(dense), \(dense), \(dense)", version: "0.3.3").root).sublayers.map(
      \.name)
    #expect(Set(names).count == 3)
    let same = #"{"class_name": "Flatten", "config": {"name": "f", "input_dim": 2}}"#
    let model = try legacyModel("\(same), \(same)")
    #expect(Set(try #require(model.root).sublayers.map(\.name)).count == 2)
    #expect(try model.operators == ["Flatten", "Flatten"])
  }

  @Test func layersMayNestOnlySoDeep() throws {
    func nested(_ levels: Int) throws -> KerasModel {
      let opening = #"{"class_name": "Sequential", "config": {"layers": ["#
      return try kerasModel(
        String(repeating: opening, count: levels)
          + #"{"class_name": "Flatten", "config": {"name": "f", "input_dim": 2}}"#
          + String(repeating: "]}}", count: levels))
    }
    #expect(try nested(40).operators == ["Flatten"])
    #expect(try nested(120).operators == ["Flatten"])
    let error = #expect(throws: FormatError.self) { try nested(150) }
    #expect(error?.kind == .limit)
  }

  @Test(arguments: [
    (#"{"class_name": "Sequential", "config": {"layers": [{}]}}"#, "class name"),
    (#"{"class_name": "Sequential", "config": {"layers": [7]}}"#, "class name"), ("[]", "configuration"),
    ("{}", "configuration"),
    (#""text""#, "configuration"), (#"{"class_name": 7, "config": {}}"#, "class name"),
  ]) func brokenConfigurations(_ json: String, word: String) {
    let error = #expect(throws: FormatError.self) { try kerasModel(json) }
    #expect(error?.kind == .malformed)
    #expect(error?.message.contains(word) == true)
    #expect(error?.file == "memory")
  }
}
