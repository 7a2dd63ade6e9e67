import NNEngine
import NNFormat
import Testing

/// Graphs before and after they are quantised.
@Suite struct ModelQuantiserTests {
  private static func settings(
    _ scheme: QuantisationSettings.Scheme, _ change: (inout QuantisationSettings) -> Void = { _ in }
  ) -> QuantisationSettings {
    var settings = QuantisationSettings(scheme)
    change(&settings)
    return settings
  }

  /// Every scheme with the signal-to-noise ratio that it has to reach.
  static let cases: [(QuantisationSettings, Double)] = [
    (settings(.dynamic), 28), (settings(.dynamic) { $0.form = .qoperator }, 28),
    (
      settings(.dynamic) {
        $0.weightType = .uint8; $0.isPerChannel = false
      }, 25
    ),
    (
      settings(.dynamic) {
        $0.weightType = .uint8; $0.form = .qoperator; $0.reducesRange = true
      }, 25
    ),
    (settings(.calibrated), 28), (settings(.calibrated) { $0.form = .qoperator }, 25),
    (
      settings(.calibrated) {
        $0.weightType = .uint8; $0.form = .qoperator; $0.isPerChannel = false
      }, 22
    ),
    (
      settings(.calibrated) {
        $0.activationType = .int16; $0.isSymmetric = true
      }, 30
    ),
    (
      settings(.calibrated) {
        $0.activationType = .int8; $0.weightType = .int4
      }, 12
    ),
    (
      settings(.calibrated) {
        $0.calibrationMethod = .percentile; $0.percentile = 99.9
      }, 25
    ),
    (settings(.calibrated) { $0.calibrationMethod = .entropy }, 15),
    (settings(.weightOnly), 30),
    (
      settings(.weightOnly) {
        $0.weightType = .uint8; $0.blockSize = 16
      }, 30
    ),
    (settings(.weightOnly) { $0.form = .qoperator }, 30),
    (
      settings(.weightOnly) {
        $0.form = .qoperator; $0.weightType = .uint8; $0.blockSize = 16
      }, 30
    ),
    (
      settings(.weightOnly) {
        $0.form = .qoperator; $0.weightType = .int4
      }, 12
    ),
    (
      settings(.weightOnly) {
        $0.form = .qoperator; $0.weightType = .uint4
      }, 12
    ),
    (
      settings(.weightOnly) {
        $0.weightType = .int4; $0.blockSize = 8
      }, 14
    ),
    (
      settings(.weightOnly) {
        $0.weightType = .uint4; $0.blockSize = 0
      }, 10
    ),
    // One block over all inputs, and blocks larger than any layer.
    (
      settings(.weightOnly) {
        $0.form = .qoperator; $0.blockSize = 0
      }, 30
    ),
    (
      settings(.weightOnly) {
        $0.form = .qoperator; $0.weightType = .uint8; $0.blockSize = 1 << 62
      }, 30
    ),
    (
      settings(.weightOnly) {
        $0.form = .qoperator; $0.weightType = .int4; $0.blockSize = 0
      }, 10
    ),
    (
      settings(.weightOnly) {
        $0.form = .qoperator; $0.weightType = .uint4; $0.blockSize = 0
      }, 10
    ),
    (
      settings(.weightOnly) {
        $0.weightType = .int4; $0.blockSize = .max
      }, 10
    ),
    (settings(.float16), 60), (settings(.bfloat16), 42),
  ]

  /// Products in every form: rank 3, Gemm with all attributes, weights on the left, tables, equations, shared weights.
  static func graphs() -> [(String, GraphSketch, [Tensor])] {
    var random = SeededGenerator(7)
    var graphs: [(String, GraphSketch, [Tensor])] = []
    func add(_ name: String, inputs: [Tensor], _ build: (inout GraphSketch) -> Void) {
      var sketch = GraphSketch()
      build(&sketch)
      graphs.append((name, sketch, inputs))
    }
    let (x, deep) = (random.floats([5, 20]), random.floats([2, 5, 20]))
    let (w, wide) = (random.floats([20, 12]), random.floats([12, 20]))
    let (bias, plane) = (random.floats([12]), random.floats([5, 12]))
    add("matmul", inputs: [deep]) {
      $0.input("x", [.symbolic("a"), .symbolic("b"), 20])
      $0.constant("w", w)
      $0.constant("b", bias)
      $0.node("MatMul", ["x", "w"], ["p"])
      $0.node("Add", ["p", "b"], ["y"])
      $0.output("y")
    }
    for (alpha, beta): (Float, Float) in [(1, 1), (0.5, -2)] {
      for isTransposed in [false, true] {
        for left in [false, true] {
          let input = left ? random.floats([20, 5]) : x
          add("gemm \(alpha) \(isTransposed) \(left)", inputs: [input]) {
            $0.input("x", left ? [20, .symbolic("a")] : [.symbolic("a"), 20])
            $0.constant("w", isTransposed ? wide : w)
            $0.constant("b", alpha == 1 ? bias : plane)
            $0.node(
              "Gemm", ["x", "w", "b"], ["y"],
              [
                Attribute("alpha", .float(alpha)), Attribute("beta", .float(beta)),
                Attribute("transB", .int(isTransposed ? 1 : 0)), Attribute("transA", .int(left ? 1 : 0)),
              ])
            $0.output("y")
          }
        }
      }
    }
    for shape in [[1], [], [1, 12]] {
      add("gemm with a bias of shape \(shape)", inputs: [x]) {
        $0.input("x", [.symbolic("a"), 20])
        $0.constant("w", w)
        $0.constant("b", random.floats(shape))
        $0.node("Gemm", ["x", "w", "b"], ["y"])
        $0.output("y")
      }
    }
    add("computed bias", inputs: [x, bias]) {
      $0.input("x", [.symbolic("a"), 20])
      $0.input("c", [12])
      $0.constant("w", w)
      $0.node("Gemm", ["x", "w", "c"], ["y"], [Attribute("beta", .float(3))])
      $0.output("y")
    }
    add("shared", inputs: [x]) {
      $0.input("x", [.symbolic("a"), 20])
      $0.constant("w", random.floats([20, 20]))
      $0.node("MatMul", ["x", "w"], ["h"])
      $0.node("Gemm", ["x", "w"], ["g"])
      $0.node("Add", ["h", "g"], ["s"])
      $0.node("Gemm", ["s", "w"], ["y"], [Attribute("transB", .int(1))])
      $0.output("y", "g")
    }
    add("left", inputs: [random.floats([20, 3])]) {
      $0.input("x", [20, .symbolic("a")])
      $0.constant("w", wide)
      $0.node("MatMul", ["w", "x"], ["y"])
      $0.output("y")
    }
    add("table", inputs: [Tensor([3, 0, 19, 7] as [Int64], shape: [2, 2])]) {
      $0.input("i", [.symbolic("a"), 2], .int64)
      $0.constant("t", w)
      $0.constant("w", random.floats([12, 6]))
      $0.node("Gather", ["t", "i"], ["r"])
      $0.node("MatMul", ["r", "w"], ["y"])
      $0.output("y")
    }
    add("einsum", inputs: [x]) {
      $0.input("x", [.symbolic("a"), 20])
      $0.constant("w", random.floats([20, 3, 4]))
      $0.node("Einsum", ["x", "w"], ["y"], [Attribute("equation", .text("ai,ijk->ajk"))])
      $0.output("y")
    }
    return graphs
  }

  @Test(arguments: cases.indices) func computesNearlyTheSame(_ number: Int) throws {
    let (settings, least) = Self.cases[number]
    for (name, sketch, inputs) in Self.graphs() {
      var quantiser = try ModelQuantiser(sketch.model, settings)
      let network = try Network(sketch.model)
      var ranges: [String: ClosedRange<Float>] = [:]
      let named = Dictionary(uniqueKeysWithValues: zip(network.inputs.map(\.name), inputs))
      if settings.scheme == .calibrated, !name.hasPrefix("computed"), !name.hasSuffix("true true"),
        !name.hasSuffix("false true")
      {
        ranges = try Calibration(quantiser, QuantisationData(named, for: network)).ranges
      } else if settings.scheme == .calibrated {
        // These inputs have no rows in front.
        ranges = ["x": -2...2, "y": -40...40]
      }
      let (model, rows) = try quantiser.quantised(ranges: ranges)
      let areQuantised = rows.allSatisfy { $0.isQuantised }
      #expect(areQuantised, "\(name): \(rows.map(\.reason))")
      let (expected, actual) = (try network.run(named), try Network(model).run(named))
      for (left, right) in zip(expected, actual) {
        var sums = ErrorSums()
        for (exact, rounded) in zip(try left.tensor.doubles(), try right.tensor.doubles()) {
          sums.add(exact, rounded: rounded)
        }
        #expect(left.tensor.shape == right.tensor.shape)
        #expect(sums.decibels > least, "\(name), \(settings.inForce): \(sums.decibels) dB")
      }
      let findings = ModelValidator.findings(in: model)
      #expect(!findings.contains { $0.severity == .error }, "\(name), \(settings.inForce): \(findings)")
    }
  }

  @Test func weightsThatAreUsedNoMoreGo() throws {
    let (_, sketch, _) = Self.graphs()[0]
    var quantiser = try ModelQuantiser(sketch.model, QuantisationSettings(.dynamic))
    let model = try quantiser.quantised().model
    #expect(!model.graph.initializers.contains { $0.name == "w" })
    #expect(model.graph.initializers.contains { $0.tensor.elementType == .int8 })
    #expect(model.graph.nodes.map(\.operatorType).contains("MatMulInteger"))
  }

  /// DynamicQuantizeMatMul and MatMulNBits take a number for each output alone.
  @Test(arguments: [QuantisationSettings.Scheme.dynamic, .weightOnly])
  func fusedBiasesAreVectors(_ scheme: QuantisationSettings.Scheme) throws {
    for (_, sketch, _) in Self.graphs().filter({ $0.0.hasPrefix("gemm with a bias") }) {
      var quantiser = try ModelQuantiser(sketch.model, Self.settings(scheme) { $0.form = .qoperator })
      let graph = try quantiser.quantised().model.graph
      let node = try #require(graph.nodes.first { $0.domain == "com.microsoft" })
      #expect(node.outputs == ["y"])
      let bias = try #require(graph.initializers.first { $0.name == node.inputs.last })
      #expect(bias.tensor.shape == [12])
    }
  }

  @Test func errorsOfTheOperatorSetNameTheirNode() throws {
    var sketch = GraphSketch(version: 9)
    sketch.input("x", [.symbolic("a"), 2])
    sketch.constant("w", Tensor([1, 4, 2, 3] as [Float], shape: [2, 2]))
    sketch.node("MatMul", ["x", "w"], ["h"])
    sketch.node("Nonsense", ["h"], ["y"])
    sketch.output("y")
    let error = #expect(throws: EngineError.self) {
      try ModelQuantiser(sketch.model, Self.settings(.weightOnly) { $0.weightType = .int4 })
    }
    #expect(error?.message.contains("(node \"nonsense_1\" (Nonsense))") == true, "\(String(describing: error))")
  }

  @Test func excludedLayersStay() throws {
    let (_, sketch, _) = try #require(Self.graphs().first { $0.0 == "shared" })
    var settings = QuantisationSettings(.weightOnly)
    settings.exclusions = ["gemm_.*"]
    var quantiser = try ModelQuantiser(sketch.model, settings)
    let (model, rows) = try quantiser.quantised()
    #expect(rows.map(\.isQuantised) == [true, false, false])
    #expect(model.graph.initializers.contains { $0.name == "w" && $0.tensor.elementType == .float32 })
    for none in ["nothing", ".*"] {
      settings.exclusions = [none]
      #expect(throws: EngineError.self) { try ModelQuantiser(sketch.model, settings) }
    }
  }

  @Test func settingsThatContradictAreRefused() throws {
    let wrong = [
      Self.settings(.dynamic) { $0.weightType = .int4 }, Self.settings(.dynamic) { $0.activationType = .int8 },
      Self.settings(.calibrated) {
        $0.form = .qoperator; $0.weightType = .int4
      },
      Self.settings(.calibrated) {
        $0.form = .qoperator; $0.weightType = .uint8; $0.activationType = .int8
      },
      Self.settings(.calibrated) { $0.blockSize = 32 },
      Self.settings(.weightOnly) {
        $0.form = .qoperator; $0.blockSize = 24
      },
    ]
    for settings in wrong { #expect(throws: EngineError.self) { try settings.validate() } }
  }

  /// The edges of a histogram over such a range are infinite.
  @Test func rangesReachToTheGreatestFloat() throws {
    var sketch = GraphSketch()
    sketch.input("x", [.symbolic("a"), 2])
    sketch.constant("w", Tensor([1, 4, 2, 3] as [Float], shape: [2, 2]))
    sketch.node("MatMul", ["x", "w"], ["y"])
    sketch.output("y")
    let x = Tensor([3e38, -3e38, 1, 0] as [Float], shape: [2, 2])
    for method in [QuantisationSettings.CalibrationMethod.entropy, .percentile, .minmax] {
      let settings = Self.settings(.calibrated) { $0.calibrationMethod = method }
      var quantiser = try ModelQuantiser(sketch.model, settings)
      let data = try QuantisationData(["x": x], for: try Network(sketch.model))
      let calibration = try Calibration(quantiser, data)
      #expect(calibration.ranges["x"]?.contains(1) == true)
      _ = try? quantiser.quantised(ranges: calibration.ranges, keeping: [:])
    }
  }

  @Test func weightsThatAreNoNumbersAreRefused() throws {
    var sketch = GraphSketch()
    sketch.input("x", [.symbolic("a"), 2])
    sketch.constant("w", Tensor([1, .nan, 2, 3] as [Float], shape: [2, 2]))
    sketch.node("MatMul", ["x", "w"], ["y"])
    sketch.output("y")
    for scheme in [QuantisationSettings.Scheme.weightOnly, .float16] {
      var quantiser = try ModelQuantiser(sketch.model, QuantisationSettings(scheme))
      #expect(throws: EngineError.self) { try quantiser.quantised() }
    }
  }
}
