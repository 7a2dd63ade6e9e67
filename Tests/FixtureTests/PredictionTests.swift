import NNEngine
import NNFormat
import TestSupport
import Testing

/// Every fixture that runs gives the answers of the program that wrote it, on any number of threads and in any batches, with the same bits.
@Suite struct PredictionTests {
  @Test func theManifestIsWhole() {
    #expect(Fixtures.rows(.predict).count >= 130)
    #expect(Fixtures.rows(.inspect).count >= 10)
    #expect(Fixtures.rows(.error).count >= 20)
  }

  @Test(arguments: Fixtures.rows(.predict)) func agreesWithKeras(_ row: FixtureRow) throws {
    let model = try row.read().model()
    let expected = try row.referenceOutputs()
    var first: [[UInt8]]?
    for threads in [1, 2, nil] {
      let network = try Network(model, options: EngineOptions(threads: threads))
      let results = try network.run(try row.referenceInputs(for: network.inputs))
      for pair in try TensorComparison.pairs(results, expected: expected) {
        let difference = try TensorComparison(pair.actual, expected: pair.expected).relativeDifference
        #expect(difference <= row.tolerance, "\(pair.name) on \(threads.map(String.init) ?? "all") threads")
      }
      let bytes = try results.map { try $0.tensor.denseBytes }
      #expect(first == nil || first == bytes, "the bits depend on the number of threads")
      first = first ?? bytes
    }
  }

  @Test(arguments: Fixtures.rows(.predict).filter { !$0.dependsOnBatch }, [1, 2])
  func batchesGiveTheBitsOfTheWhole(_ row: FixtureRow, rows: Int) throws {
    let network = try Network(try row.read().model())
    let inputs = try row.referenceInputs(for: network.inputs)
    let whole = try network.run(inputs)
    let parts = try network.run(inputs, rowsPerRun: rows)
    #expect(whole.map(\.name) == parts.map(\.name))
    for (left, right) in zip(whole, parts) {
      #expect(left.tensor.shape == right.tensor.shape)
      #expect(try left.tensor.denseBytes == right.tensor.denseBytes, "\(left.name)")
    }
  }

  @Test(arguments: Fixtures.rows(.predict)) func fusionChangesLittle(_ row: FixtureRow) throws {
    let network = try Network(try row.read().model(), options: EngineOptions(fusion: false))
    let results = try network.run(try row.referenceInputs(for: network.inputs))
    for pair in try TensorComparison.pairs(results, expected: try row.referenceOutputs()) {
      #expect(try TensorComparison(pair.actual, expected: pair.expected).relativeDifference <= row.tolerance)
    }
  }

  @Test(arguments: ["digits.keras", "digits.h5", "digits.weights.h5"]) func digitsAreAsRightAsKeras(_ name: String)
    throws
  {
    let row = try #require(Fixtures.rows.first { $0.name == name })
    let network = try Network(try row.read().model())
    let images = try TensorInput.read(Fixtures.path("digits/images.npy"))
    let inputs = try TensorInput.assign([(nil, images)], to: network.inputs)
    let scores = try network.run(try inputs.mapValues { try InputBinding.cast($0, for: network.inputs[0]) })[0].tensor
    let truth = try LabelFile.indices(Fixtures.path("digits/labels.npy"))
    let values = try scores.doubles()
    #expect(scores.shape == [360, 10])
    let right = truth.indices.count { row in
      ClassRanking(values[row * 10..<row * 10 + 10], keeping: 1).top[0].index == truth[row]
    }
    #expect(right == 345)
    guard case .tensor(let expected) = try TensorInput.read(Fixtures.path("digits/keras_outputs.npy")) else {
      Issue.record("Keras's outputs are no array")
      return
    }
    #expect(try TensorComparison(scores, expected: expected).maximumDifference <= 1e-5)
  }
}
