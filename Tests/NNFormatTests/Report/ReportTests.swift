import NNFormat
import OrderedCollections
import TestSupport
import Testing

@Suite struct ReportTests {
  private func report(_ name: String, statistics: Bool = false) throws -> ModelReport {
    ModelReport(try ModelFile.read(Fixtures.model(name)), withStatistics: statistics)
  }

  /// The counts that Keras's `summary()` prints.
  @Test(arguments: [
    ("digits.keras", 2410, 2410), ("classifier_small.keras", 6575, 6575), ("frozen.keras", 102, 38),
    ("trained_adam.h5", 57, 47),
  ]) func parameterCounts(_ name: String, total: Int, trainable: Int) throws {
    let parameters = try report(name).parameters
    #expect(parameters.total == total)
    #expect(parameters.trainable == trainable)
    #expect(parameters.nonTrainable == total - trainable)
    #expect(parameters.bytes == total * 4)
  }

  /// The keys and their order that CLI.md promises; new ones may only be added.
  @Test(arguments: ["digits.keras", "lambda.h5", "digits.weights.h5", "nested.h5", "empty.keras"])
  func jsonKeys(_ name: String) throws {
    let json = try report(name, statistics: true).json
    let members = try #require(json.object)
    #expect(members.keys.first == "schema")
    #expect(json["schema"] == "nnfmt.inspect/1")
    let promised: [(String, [String])] = [
      ("file", ["path", "bytes", "format", "version", "producer"]),
      ("parameters", ["total", "trainable", "nonTrainable", "bytes"]),
      ("inputs", ["name", "elementType", "shape"]), ("outputs", ["name", "elementType", "shape"]),
      ("layers", ["name", "type", "outputShape", "parameters", "trainable", "activation", "depth"]),
      ("tensors", ["name", "elementType", "shape", "bytes", "stats"]),
      ("findings", ["severity", "code", "message", "where"]),
    ]
    for (key, keys) in promised {
      let value = try #require(members[key], "\(key)")
      for object in value.array ?? [value] {
        #expect(Set(keys).isSubset(of: Set(try #require(object.object).keys)), "\(key)")
      }
    }
    for key in ["training", "metadata"] { #expect(members[key] != nil) }
    for tensor in json["tensors"]?.array ?? [] {
      #expect(tensor["stats"]?.object.map { Array($0.keys) } == ["min", "max", "mean", "std", "zeros", "nan", "inf"])
    }
    #expect(try JSONValue.parse(json.text(.indented)) == json)
  }

  @Test func digitsInDetail() throws {
    let report = try report("digits.keras")
    #expect(report.version == "3.15.1")
    #expect(report.format == "Keras archive")
    #expect(report.inputs.map(\.shape) == [[.symbolic("batch"), 8, 8]])
    #expect(report.outputs.map(\.shape) == [[.symbolic("batch"), 10]])
    #expect(report.layers.last?.activation == "softmax")
    #expect(report.layers.last?.outputShape == [.symbolic("batch"), 10])
    #expect(report.training?.optimizer == "Adam")
    #expect((report.training?.optimizerVariables ?? 0) > 4)
    #expect(report.findings.isEmpty)
    #expect(report.json["inputs"]?[0]?["shape"] == ["batch", 8, 8])
    #expect(report.json["tensors"]?[0]?["stats"] == nil)
  }

  @Test func layersAreFoundByTheirLastName() throws {
    let report = try report("nested.h5")
    let inner = try #require(report.layers.first { $0.depth == 1 })
    let last = try #require(inner.name.split(separator: "/").last.map(String.init))
    #expect(report.layer(named: inner.name)?.name == inner.name)
    let sameEnding = report.layers.filter { $0.name.hasSuffix("/\(last)") || $0.name == last }
    #expect((report.layer(named: last) == nil) == (sameEnding.count != 1))
    #expect(report.layer(named: "no such layer") == nil)
  }

  @Test func damagedWeightsAreFindings() throws {
    let report = try report("nan_weights.h5", statistics: true)
    #expect(report.findings.map(\.code).sorted() == ["infinite-weights", "nan-weights"])
    let damaged = try #require(report.tensors.compactMap(\.statistics).first { $0.nan > 0 })
    #expect(damaged.nan > 0 && damaged.infinite > 0)
    #expect(damaged.minimum.isFinite && damaged.maximum.isFinite && damaged.mean.isFinite)
    #expect(try self.report("nan_weights.h5").findings.isEmpty)
  }

  @Test(arguments: [
    ("lambda.keras", "lambda-layer"), ("custom_layer.h5", "unsupported-layer"), ("conv2d.h5", "unsupported-layer"),
    ("missing_dataset.h5", "unreadable-weight"), ("soft_link.h5", "refused-link"), ("external_link.h5", "refused-link"),
    ("missing_layer_group.h5", "missing-group"), ("missing_all_weights.h5", "missing-weights"),
    ("no_weights.keras", "missing-weights"), ("digits.weights.h5", "weights-only"), ("unbuilt.keras", "not-runnable"),
  ]) func findingsOfFiles(_ name: String, code: String) throws {
    #expect(try report(name).findings.map(\.code).contains(code))
  }
}

@Suite struct StatisticsTests {
  @Test func figuresOfKnownNumbers() throws {
    let statistics = try TensorStatistics(Tensor([1, 2, 3, 4, 0, -4] as [Float]))
    #expect(statistics.minimum == -4)
    #expect(statistics.maximum == 4)
    #expect(statistics.mean == 1)
    #expect(abs(statistics.standardDeviation - (40.0 / 6).squareRoot()) < 1e-12)
    #expect(statistics.zeros == 1)
    #expect(statistics.nan == 0)
  }

  @Test func damagedNumbersAreCountedApart() throws {
    let statistics = try TensorStatistics(Tensor([.nan, .infinity, -.infinity, 2, -.nan] as [Double]))
    #expect(statistics.nan == 2)
    #expect(statistics.infinite == 2)
    #expect(statistics.minimum == 2)
    #expect(statistics.mean == 2)
    #expect(statistics.standardDeviation == 0)
  }

  @Test func largeMeansKeepTheirDigits() throws {
    let statistics = try TensorStatistics(Tensor((0..<1000).map { 1e9 + Double($0 % 2) }))
    #expect(abs(statistics.standardDeviation - 0.5) < 1e-9)
  }

  @Test func noElementsAndOtherTypes() throws {
    #expect(try TensorStatistics(Tensor([] as [Float])).standardDeviation == 0)
    #expect(try TensorStatistics(Tensor([true, false, true])).mean == 2.0 / 3)
    #expect(try TensorStatistics(Tensor([-1, 1] as [Int8])).minimum == -1)
    let complex = try Tensor(
      elementType: .complex64, shape: [1], storage: .owned(AlignedBytes(copying: [1, 2] as [Float])))
    #expect(throws: FormatError.self) { try TensorStatistics(complex) }
  }
}
