import NNFormat
import Testing

/// Operators are taken for an activation when they are just that, in any order of operands, and for nothing else when not.
@Suite struct ExpressionRaisingTests {
  /// A graph over `x` of shape (batch, 4): nodes as type, inputs and output, with float constants by name.
  private func graph(_ nodes: [(String, [String], String)], _ constants: [String: Float], output: String) -> Model {
    var graph = Graph()
    graph.inputs = [Value(name: "x", elementType: .float32, shape: [.symbolic("batch"), .known(4)])]
    graph.nodes = nodes.map { Node(name: $0.2, $0.0, inputs: $0.1, outputs: [$0.2]) }
    graph.initializers = constants.sorted { $0.key < $1.key }.map {
      Initializer(name: $0.key, tensor: Tensor([$0.value], shape: []))
    }
    graph.outputs = [Value(name: output, elementType: .float32, shape: [.symbolic("batch"), .known(4)])]
    return Model(graph: graph, operatorSets: [OperatorSetImport(version: 21)], irVersion: 10)
  }

  private func layers(_ model: Model, layout: KerasModel.Layout = .archive) throws -> [KerasLayer] {
    let root = try KerasModel.raised(from: model, layout: layout).model.root
    return (root?.sublayers ?? []).filter { $0.className != "InputLayer" }
  }

  private func softShrink(_ low: Float, _ high: Float) -> Model {
    graph([("Clip", ["x", "low", "high"], "c"), ("Sub", ["x", "c"], "y")], ["low": low, "high": high], output: "y")
  }

  @Test func operatorsBecomeTheirFunction() throws {
    let found = try layers(softShrink(-0.5, 0.5))
    #expect(found.map(\.className) == ["Activation"])
    #expect(found.first?.configuration["activation"]?.string == "soft_shrink")
  }

  @Test func otherNumbersAreOtherFunctions() throws {
    let found = try layers(softShrink(-0.4, 0.5))
    #expect(!found.isEmpty)
    #expect(!found.contains { $0.configuration["activation"]?.string == "soft_shrink" })
  }

  @Test func operandsMayBeSwapped() throws {
    let model = graph(
      [
        ("Mul", ["x", "x"], "s"), ("Add", ["four", "s"], "t"), ("Sqrt", ["t"], "r"), ("Add", ["r", "x"], "u"),
        ("Mul", ["half", "u"], "y"),
      ], ["four": 4, "half": 0.5], output: "y")
    #expect(try layers(model).map { $0.configuration["activation"]?.string } == ["squareplus"])
  }

  /// What is used elsewhere must stay a value of its own.
  @Test func innerValuesThatAreUsedStay() throws {
    var model = softShrink(-0.5, 0.5)
    model.graph.outputs.append(Value(name: "c", elementType: .float32, shape: [.symbolic("batch"), .known(4)]))
    let found = try layers(model)
    #expect(!found.contains { $0.configuration["activation"]?.string == "soft_shrink" })
    #expect(found.contains { $0.className == "Subtract" })
  }

  /// Keras 2 does not know the function, so that its file gets layers that do the same.
  @Test func olderKerasGetsNoNewNames() throws {
    let found = try layers(softShrink(-0.5, 0.5), layout: .legacyModel)
    #expect(!found.contains { $0.configuration["activation"]?.string == "soft_shrink" })
    #expect(found.contains { $0.className == "Subtract" })
  }

  @Test func oneOperatorForTwoFunctions() throws {
    var model = graph([("Shrink", ["x"], "y")], [:], output: "y")
    #expect(try layers(model).first?.configuration["activation"]?.string == "hard_shrink")
    model.graph.nodes[0].attributes = [Attribute("bias", .float(0.5)), Attribute("lambd", .float(0.5))]
    #expect(try layers(model).first?.configuration["activation"]?.string == "soft_shrink")
    model.graph.nodes[0].attributes = [Attribute("lambd", .float(0.25))]
    #expect(throws: FormatError.self) { try layers(model) }
  }
}

/// Masks go with values until a layer would apply them.
@Suite struct MaskTests {
  private func chain(_ last: String, between: String = "") throws -> KerasModel {
    try legacyModel(
      """
      {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [null, 3, 4]}},
      {"class_name": "Masking", "config": {"name": "hide", "mask_value": 0.0}},
      \(between)
      {"class_name": "\(last)", "config": {"name": "last"}}
      """)
  }

  @Test(arguments: ["Softmax", "GlobalAveragePooling1D"]) func layersThatApplyMasksAreRefused(_ name: String) throws {
    let error = try #require(throws: FormatError.self) { try chain(name).lowered() }
    #expect("\(error)".contains("\"last\" (\(name))") && "\(error)".contains("\"hide\""))
  }

  @Test func masksPassActivationsAndEndAtFlatten() throws {
    let activation = #"{"class_name": "ReLU", "config": {"name": "between"}},"#
    #expect(throws: FormatError.self) { try chain("Softmax", between: activation).lowered() }
    let flatten = #"{"class_name": "Flatten", "config": {"name": "between"}},"#
    #expect(try chain("Softmax", between: flatten).operators.last == "Softmax")
  }

  @Test func masksThatNothingAppliesAreLeftOut() throws {
    #expect(try chain("ReLU").operators.last == "Relu")
  }
}
