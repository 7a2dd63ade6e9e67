import NNFormat
import Testing

@Suite struct LoweringTests {
  /// The operators of one layer without weights.
  @Test(arguments: [
    ("Flatten", "", "[null, 2, 3]", ["Flatten"]),
    ("Flatten", #""data_format": "channels_first""#, "[null, 2, 3, 4]", ["Transpose", "Flatten"]),
    ("Activation", #""activation": "relu""#, "[null, 4]", ["Relu"]),
    ("Activation", #""activation": "linear""#, "[null, 4]", ["Identity"]),
    ("Activation", #""activation": "swish""#, "[null, 4]", ["Sigmoid", "Mul"]),
    ("Activation", #""activation": {"class_name": "function", "config": "tanh"}"#, "[null, 4]", ["Tanh"]),
    ("Activation", #""activation": {"class_name": "ReLU", "config": {"max_value": 6}}"#, "[null, 4]", ["Clip"]),
    ("ReLU", "", "[null, 4]", ["Relu"]), ("ReLU", #""max_value": 6.0"#, "[null, 4]", ["Clip"]),
    ("ReLU", #""negative_slope": 0.1"#, "[null, 4]", ["LeakyRelu"]),
    ("ReLU", #""threshold": 1.0"#, "[null, 4]", ["Sub", "Mul", "Greater", "Where"]),
    ("LeakyReLU", "", "[null, 4]", ["LeakyRelu"]), ("ELU", "", "[null, 4]", ["Elu"]),
    ("Softmax", "", "[null, 4]", ["Softmax"]),
    ("Softmax", #""axis": [1, 2]"#, "[null, 4, 2]", ["ReduceLogSumExp", "Sub", "Exp"]),
    ("Dropout", #""rate": 0.5"#, "[null, 4]", ["Dropout"]), ("GaussianNoise", "", "[null, 4]", ["Identity"]),
    ("Reshape", #""target_shape": [2, -1]"#, "[null, 4]", ["Reshape"]),
    ("Permute", #""dims": [2, 1]"#, "[null, 4, 2]", ["Transpose"]),
    ("RepeatVector", #""n": 3"#, "[null, 4]", ["Unsqueeze", "Expand"]),
    ("Rescaling", #""scale": 0.5"#, "[null, 4]", ["Mul", "Add"]),
    ("LayerNormalization", #""scale": false, "center": false"#, "[null, 4]", ["LayerNormalization"]),
    (
      "LayerNormalization", #""axis": 1, "scale": false, "center": false"#, "[null, 4, 2]",
      ["Transpose", "LayerNormalization", "Transpose"]
    ),
  ]) func operatorsOfOneLayer(_ className: String, _ configuration: String, input: String, expected: [String]) throws {
    #expect(try oneLayer(className, configuration, input: input).operators == expected)
  }

  @Test func hardSigmoidChangedItsSlope() throws {
    for (version, slope) in [("2.15.0", Float(0.2)), ("3.0.0", 1 / 6)] {
      let graph = try oneLayer("Activation", #""activation": "hard_sigmoid""#, version: version).lowered().graph
      #expect(graph.nodes[0].operatorType == "HardSigmoid")
      #expect(graph.nodes[0].float("alpha", default: 0) == slope)
    }
  }

  @Test(
    arguments: [
      ("[null, 2]", [], ["Gemm"]), ("[null, 5, 2]", [], ["MatMul", "Add"]), ("[null, 2]", ["use_bias"], ["Gemm"]),
      ("[null, 5, 2]", ["use_bias"], ["MatMul"]), ("[null, 2]", ["relu"], ["Gemm", "Relu"]),
    ] as [(String, [String], [String])]) func dense(_ input: String, options: [String], expected: [String]) throws
  {
    let hasBias = !options.contains("use_bias")
    let activation = options.contains("relu") ? "relu" : "linear"
    let json =
      #"{"class_name": "Dense", "config": {"name": "d", "units": 3, "use_bias": \#(hasBias), "activation": "\#(activation)", "batch_input_shape": \#(input)}}"#
    let weights = [("kernel", [2, 3])] + (hasBias ? [("bias", [3])] : [])
    let model = try legacyModel(json, weights: [("d", weights)])
    #expect(try model.operators == expected)
    let graph = try model.lowered().graph
    #expect(graph.outputs.map(\.name) == ["d"])
    #expect(graph.outputs[0].shape?.dimensions.last == 3)
    #expect(graph.initializers.map(\.name) == ["d/kernel", "d/bias"].prefix(weights.count).map { $0 })
  }

  @Test func batchNormalizationMovesAnotherAxisToTheFront() throws {
    func model(_ axis: Int, _ width: Int) throws -> KerasModel {
      try legacyModel(
        #"{"class_name": "BatchNormalization", "config": {"name": "n", "axis": \#(axis), "scale": false, "batch_input_shape": [null, 4, 2]}}"#,
        weights: [("n", [("beta", [width]), ("moving_mean", [width]), ("moving_variance", [width])])])
    }
    #expect(try model(1, 4).operators == ["BatchNormalization"])
    #expect(try model(-1, 2).operators == ["Transpose", "BatchNormalization", "Transpose"])
  }

  @Test func mixedPrecisionCastsInputsAndWeights() throws {
    let model = try legacyModel(
      #"{"class_name": "Dense", "config": {"name": "d", "units": 3, "input_dim": 2, "dtype": "mixed_float16"}}"#,
      weights: [("d", [("kernel", [2, 3]), ("bias", [3])])])
    #expect(try model.operators == ["Cast", "Cast", "Cast", "Gemm"])
    #expect(try model.lowered().graph.outputs[0].elementType == .float16)
  }

  /// What cannot be run names the layer and its class.
  @Test(
    arguments: [
      ("Conv2D", "", "[null, 4]", FormatError.Kind.unsupported), ("Lambda", "", "[null, 4]", .refused),
      ("Mine>Scale", "", "[null, 4]", .unsupported),
      ("Activation", #""activation": "mine""#, "[null, 4]", .unsupported),
      ("Activation", #""activation": 7"#, "[null, 4]", .malformed), ("Softmax", #""axis": 99"#, "[null, 4]", .mismatch),
      ("Softmax", #""axis": "last""#, "[null, 4]", .malformed), ("Reshape", "", "[null, 4]", .malformed),
      ("Reshape", #""target_shape": [3]"#, "[null, 4]", .mismatch),
      ("Reshape", #""target_shape": [-5]"#, "[null, 4]", .mismatch),
      ("Reshape", #""target_shape": [-1, -1]"#, "[null, 4]", .mismatch),
      ("Permute", #""dims": [1, 1]"#, "[null, 4, 2]", .mismatch), ("RepeatVector", #""n": -1"#, "[null, 4]", .mismatch),
      ("RepeatVector", #""n": "3""#, "[null, 4]", .malformed), ("LeakyReLU", #""alpha": "x""#, "[null, 4]", .malformed),
      ("LayerNormalization", #""axis": 9, "scale": false"#, "[null, 4]", .mismatch),
      ("LayerNormalization", #""axis": [1, 1], "scale": false, "center": false"#, "[null, 4]", .mismatch),
      ("LayerNormalization", #""scale": false, "center": false"#, "[null, 9000000000000]", .limit),
      ("BatchNormalization", #""axis": 0"#, "[null, 4]", .unsupported), ("Dot", #""axes": 1"#, "[null, 4]", .mismatch),
      ("Add", "", "[null]", nil), ("Dense", #""units": "many""#, "[null, 4]", .missing),
      ("Flatten", "", "[null, 4611686018427387904, 4]", nil),
      ("Normalization", #""mean": [1, 2], "variance": 1"#, "[null, 4]", .mismatch),
      ("Rescaling", #""scale": {}"#, "[null, 4]", .malformed), ("Subtract", "", "[null, 4]", .mismatch),
    ] as [(String, String, String, FormatError.Kind?)])
  func hostileLayers(_ className: String, _ configuration: String, input: String, kind: FormatError.Kind?) throws {
    let model = try oneLayer(className, configuration, input: input)
    do throws(FormatError) {
      _ = try model.lowered()
      #expect(kind == nil, "it was lowered")
    } catch {
      #expect(kind == nil || error.kind == kind, "\(error)")
      #expect("\(error)".contains("\"l\"") && "\(error)".contains(className), "\(error)")
    }
  }

  @Test(
    arguments: [
      ("\"x\"", [2, 3], FormatError.Kind.malformed), ("-3", [2, 3], .mismatch), ("4", [2, 3], .mismatch),
      ("1e300", [2, 3], .malformed), ("3", [5, 3], .mismatch), ("3", [2], .mismatch), ("3", [2, 3, 1], .mismatch),
      ("0", [2, 0], nil),
    ] as [(String, [Int], FormatError.Kind?)]) func denseThatDoesNotFit(
      _ units: String, kernel: [Int], kind: FormatError.Kind?
    ) throws
  {
    let model = try legacyModel(
      #"{"class_name": "Dense", "config": {"name": "d", "units": \#(units), "batch_input_shape": [null, 2]}}"#,
      weights: [("d", [("kernel", kernel), ("bias", [kernel.last ?? 0])])])
    do throws(FormatError) {
      _ = try model.lowered()
      #expect(kind == nil)
    } catch {
      #expect(error.kind == kind, "\(error)")
      #expect("\(error)".contains("\"d\" (Dense)"))
    }
  }

  @Test func whatHasNoLayersOrWeightsSaysSo() throws {
    #expect(throws: FormatError.self) { try legacyModel("").lowered() }
    let missing = #expect(throws: FormatError.self) {
      try legacyModel(#"{"class_name": "Dense", "config": {"name": "d", "units": 1, "input_dim": 1}}"#).lowered()
    }
    #expect(missing?.kind == .missing)
    let subclassed = #expect(throws: FormatError.self) {
      try kerasModel(#"{"class_name": "MyModel", "config": {"name": "m"}}"#).lowered()
    }
    #expect(subclassed?.message.contains("MyModel") == true)
  }
}
