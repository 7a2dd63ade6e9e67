import NNFormat
import TestSupport
import Testing

/// What counts as a difference between two models, and what does not.
@Suite struct ModelComparisonTests {
  private static func file(_ name: String) throws -> ModelFile { try ModelFile.read(Fixtures.model(name)) }

  private static func file(_ model: Model) -> ModelFile { ModelFile(path: "memory", content: .onnx(model)) }

  private static func compare(
    _ change: (inout Model) throws -> Void, tolerance: Double? = nil
  ) throws -> ModelComparison {
    try ModelComparison(
      file(ValidationTesting.model()), file(try ValidationTesting.model(change)), tolerance: tolerance)
  }

  @Test(arguments: Fixtures.rows(.predict) + Fixtures.rows(.inspect)) func everyFileIsEqualToItself(_ row: FixtureRow)
    throws
  {
    let comparison = try ModelComparison(try row.read(), try row.read())
    #expect(comparison.isEqual && comparison.notes.isEmpty, "\(comparison.differences)")
    #expect(comparison.tensors.compared == comparison.tensors.identical)
  }

  @Test(arguments: ["every_field", "every_type", "external", "internal"]) func everyGraphIsEqualToItself(_ name: String)
    throws
  {
    let file = try ModelFile.read(Fixtures.path("onnx/\(name).onnx"))
    #expect(try ModelComparison(file, file).isEqual)
  }

  @Test(arguments: [
    ("digits.h5", "digits.keras"), ("digits.weights.h5", "digits.h5"), ("shared.h5", "shared.keras"),
    ("nested.h5", "nested.keras"), ("trained_adam.h5", "trained_adam.keras"),
    ("trained_adam.h5", "trained_adam.weights.h5"), ("dialect_plain.h5", "dialect_big_endian.h5"),
  ])
  func layoutsOfOneModelAreEqual(left: String, right: String) throws {
    let comparison = try ModelComparison(try Self.file(left), try Self.file(right))
    #expect(comparison.differences.isEmpty, "\(comparison.differences)")
    #expect(comparison.tensors.compared > 0)
    #expect(comparison.tensors.compared == comparison.tensors.identical)
    #expect(comparison.notes.contains { $0.place == "layout" } == (left.hasPrefix("dialect") ? false : true))
  }

  @Test func configurationsAreComparedByKeyPath() throws {
    func model(_ dense: String) throws -> ModelFile {
      let layers = "{\"class_name\": \"Dense\", \"config\": {\"name\": \"a\", \(dense)}}"
      return ModelFile(path: "memory", content: .keras(try legacyModel(layers)))
    }
    let left = try model("\"units\": 10, \"rate\": 1e-3, \"use_bias\": true, \"seed\": null")
    #expect(try ModelComparison(left, try model("\"use_bias\": true, \"rate\": 0.001, \"units\": 10.0")).isEqual)
    let changed = try ModelComparison(left, try model("\"units\": 12, \"rate\": 0.001, \"use_bias\": 1"))
    #expect(changed.differences.map(\.place) == ["layers[0].config.units", "layers[0].config.use_bias"])
    #expect(changed.differences.map(\.left) == ["10", "true"])
    #expect(changed.differences.map(\.right) == ["12", "1"])
    let absent = try ModelComparison(left, try model("\"units\": 10, \"rate\": 0.001"))
    #expect(absent.differences.map(\.left) == ["true"])
    #expect(absent.differences.map(\.right) == [nil])
  }

  @Test func layersAreComparedByName() throws {
    func model(_ names: [String]) throws -> ModelFile {
      let layers = names.map { "{\"class_name\": \"Flatten\", \"config\": {\"name\": \"\($0)\"}}" }
      return ModelFile(path: "memory", content: .keras(try legacyModel(layers.joined(separator: ", "))))
    }
    let comparison = try ModelComparison(try model(["a", "b"]), try model(["a", "c"]))
    #expect(comparison.differences.map(\.left) == ["b (Flatten)", nil])
    #expect(comparison.differences.map(\.right) == [nil, "c (Flatten)"])
    #expect(try ModelComparison(try model(["a", "b"]), try model(["b", "a"])).differences.map(\.place) == ["layers"])
  }

  /// The layout of ONNX Runtime's quantiser: values are rounded between nodes, outputs have other names in front of that, and a
  /// Relu is left out where its input is rounded to numbers from 0 on.
  @Test(arguments: [Int8(-128), 0]) func valuesRoundedBetweenNodesAreNoDifference(_ zero: Int8) throws {
    let origin = ValidationTesting.model { model in
      model.graph.nodes = [
        Node(name: "fc", "MatMul", inputs: ["x", "w"], outputs: ["a"]),
        Node("Add", inputs: ["a", "b"], outputs: ["h"]),
        Node("Relu", inputs: ["h"], outputs: ["r"]), Node("Tanh", inputs: ["r"], outputs: ["y"]),
      ]
    }
    let rounded = ValidationTesting.model { model in
      model.graph.initializers = [
        Initializer(name: "w_codes", tensor: Tensor((0..<12).map { Int8($0) }, shape: [4, 3])),
        Initializer(name: "w_scale", tensor: Tensor([0.125] as [Float], shape: [])),
        Initializer(name: "b_codes", tensor: Tensor([1, -2, 4] as [Int8])),
        Initializer(name: "b_scale", tensor: Tensor([0.5] as [Float], shape: [])),
        Initializer(name: "scale", tensor: Tensor([0.01] as [Float], shape: [])),
        Initializer(name: "zero", tensor: Tensor([zero], shape: [])),
      ]
      func pair(_ value: String, to output: String? = nil) -> [Node] {
        [
          Node("QuantizeLinear", inputs: [value, "scale", "zero"], outputs: ["\(value)_codes"]),
          Node(
            "DequantizeLinear", inputs: ["\(value)_codes", "scale", "zero"], outputs: [output ?? "\(value)_rounded"]),
        ]
      }
      let constants = ["w", "b"].map { name in
        Node("DequantizeLinear", inputs: ["\(name)_codes", "\(name)_scale"], outputs: ["\(name)_rounded"])
      }
      model.graph.nodes =
        constants + pair("x") + [Node(name: "fc", "MatMul", inputs: ["x_rounded", "w_rounded"], outputs: ["a"])]
        + pair("a") + [Node("Add", inputs: ["a_rounded", "b_rounded"], outputs: ["r"])] + pair("r")
        + [Node("Tanh", inputs: ["r_rounded"], outputs: ["y_unrounded"])] + pair("y_unrounded", to: "y")
    }
    for (left, right) in [(origin, rounded), (rounded, origin)] {
      let comparison = try ModelComparison(Self.file(left), Self.file(right))
      #expect(comparison.notes.contains { $0.place == "quantised layers" })
      if zero == -128 {
        #expect(comparison.differences.isEmpty, "\(comparison.differences)")
      } else {
        #expect(comparison.differences.contains { $0.section == .structure })
      }
    }
  }

  @Test func weightsAreMeasured() throws {
    func changed(_ tolerance: Double?) throws -> ModelComparison {
      try Self.compare({ $0.graph.initializers[1].tensor = Tensor([0.5, -1, 2.002] as [Float]) }, tolerance: tolerance)
    }
    let comparison = try changed(nil)
    let difference = try #require(comparison.differences.first)
    #expect(comparison.differences.count == 1 && difference.section == .weights && difference.place == "b")
    let distance = try #require(difference.distance)
    #expect(abs(distance.maximumDifference - 0.002) < 1e-6 && abs(distance.relativeDifference - 0.001) < 1e-6)
    #expect(distance.cosine > 0.999999 && distance.cosine < 1)
    #expect(comparison.tensors == (2, 1))
    #expect(try changed(0.01).isEqual)
    #expect(try !changed(0.0005).isEqual)
    #expect(try !Self.compare { $0.graph.initializers[1].tensor = Tensor([0.5, -1, 2, 0] as [Float]) }.isEqual)
    #expect(try !Self.compare({ $0.graph.initializers[1].tensor = Tensor([0.5, -1, 2]) }, tolerance: 1).isEqual)
  }

  @Test func everyBitCountsWithoutTolerance() throws {
    let zeros = ValidationTesting.model { $0.graph.initializers[1].tensor = Tensor([0, 0, 0] as [Float]) }
    let negative = ValidationTesting.model { $0.graph.initializers[1].tensor = Tensor([0, -0.0, 0] as [Float]) }
    #expect(try !ModelComparison(Self.file(zeros), Self.file(negative)).isEqual)
    #expect(try ModelComparison(Self.file(zeros), Self.file(negative), tolerance: 0).isEqual)
  }

  @Test(arguments: [
    Change("node 0 \"fc\" (Gemm), alpha") { $0.graph.nodes[0].attributes = [Attribute("alpha", .float(2))] },
    Change("node 1 \"act\" (Relu), operator") { $0.graph.nodes[1].operatorType = "Tanh" },
    Change("node 0 \"fc\" (Gemm), inputs") { $0.graph.nodes[0].inputs = ["x", "w"] },
    Change("node 2 \"more\" (Relu)") {
      $0.graph.nodes.append(Node(name: "more", "Relu", inputs: ["y"], outputs: ["z"]))
    },
    Change("input \"x\"") { $0.graph.inputs[0].type = .tensor(.float32, [2, 4]) },
    Change("operator sets") { $0.operatorSets = [OperatorSetImport(version: 20)] },
    Change("metadata.key") { $0.metadata["key"] = "value" },
    Change("b") { $0.graph.initializers.removeLast() },
    Change("c") { $0.graph.initializers.append(Initializer(name: "c", tensor: Tensor([1] as [Float]))) },
  ])
  func whatCountsInGraphs(_ change: Change) throws {
    #expect(try Self.compare(change.apply).differences.map(\.place) == [change.code])
  }

  @Test func versionsAndNodeNamesAreNotes() throws {
    let comparison = try Self.compare { model in
      model.irVersion = 9
      model.producerName = "other"
      model.graph.nodes[0].name = "renamed"
    }
    #expect(comparison.isEqual)
    #expect(comparison.notes.map(\.place) == ["format version", "producer", "node 0 \"fc\" (Gemm), name"])
  }

  @Test func graphsUnderOtherNamesAreComparedByStructure() throws {
    func renamed(_ model: inout Model) {
      model.graph.nodes = [
        Node("Gemm", inputs: ["in", "kernel", "offset"], outputs: ["1"]), Node("Relu", inputs: ["1"], outputs: ["out"]),
      ]
      model.graph.inputs[0].name = "in"
      model.graph.outputs[0].name = "out"
      model.graph.initializers[0].name = "kernel"
      model.graph.initializers[1].name = "offset"
    }
    #expect(try Self.compare(renamed).isEqual)
    let other = try Self.compare { model in
      renamed(&model)
      model.graph.initializers[1].tensor = Tensor([1, 2, 3] as [Float])
    }
    #expect(other.differences.map(\.place) == ["b"])
  }

  @Test func formatsMeetInTheirGraph() throws {
    let keras = try Self.file("digits.keras")
    let lowered = Self.file(try keras.model())
    for comparison in [try ModelComparison(keras, lowered), try ModelComparison(lowered, keras)] {
      #expect(comparison.isEqual, "\(comparison.differences)")
      #expect(comparison.notes.contains { $0.section == .training })
    }
    var changed = try keras.model()
    changed.graph.nodes.removeLast()
    #expect(try !ModelComparison(keras, Self.file(changed)).isEqual)
  }

  @Test func theReportIsJSON() throws {
    let json = try Self.compare { $0.graph.initializers[1].tensor = Tensor([0.5, -1, 3] as [Float]) }.json
    #expect(json.object?.keys.first == "schema" && json["schema"]?.string == "nnfmt.diff/1")
    #expect(json["equal"]?.bool == false)
    #expect(json["differences"]?[0]?["where"]?.string == "b")
    #expect(json["differences"]?[0]?["maxDifference"]?.double == 1)
    #expect(json["tensors"]?["identical"]?.int == 1)
  }
}
