import NNEngine
import NNFormat
import NNTraining
import TestSupport
import Testing

/// Numbers that no training comes to, in what training reads: errors of ours, never traps.
@Suite struct HostileTrainingTests {
  private static let numbers: [Int] = [.min, -5, -1, 1 << 53 + 1, .max - 1023, .max]

  private func rows(_ value: Float = 1) throws -> TrainingArrays {
    try TrainingArrays(
      inputs: [Tensor((0..<40).map { $0 % 3 == 0 ? value : 0.5 }, shape: [10, 4])],
      targets: Tensor((0..<10).map { Float($0 % 3) }))
  }

  private func trainer(
    _ loss: Loss = Loss(.sparseCategoricalCrossEntropy), metrics: [Metric] = [.accuracy]
  )
    throws -> Trainer
  {
    let layers: [LayerSpecification] = [
      .dense(3, activation: loss.takesClasses ? "softmax" : "relu")
    ]
    let training = try KerasTraining(try NetworkBuilder.sequential(input: [4], layers, seed: 3))
    return try Trainer(
      training.model,
      settings: training.settings(loss: loss, optimizer: .adam(0.02), metrics: metrics, seed: 9))
  }

  private func options(_ path: String) -> SessionOptions {
    var options = SessionOptions()
    (options.batch, options.epochs, options.checkpoint, options.plateau) = (4, 3, path, (2, 0.5))
    return options
  }

  /// A checkpoint of a session that was stopped within its second epoch.
  private func write(_ path: String) throws {
    var batches = 0
    _ = try TrainingSession(try trainer(), options(path), fingerprint: "one").run(
      try rows(), validation: nil,
      afterBatch: { _ in
        batches += 1
        return batches == 5 ? .stop : .proceed
      })
  }

  private func resume(_ path: String) throws {
    let session = TrainingSession(try trainer(), options(path), fingerprint: "one")
    try session.resume(try Checkpoint(path: path), path: path)
    _ = try session.run(try rows(), validation: nil)
  }

  @Test func editedCheckpointsAreRefused() throws {
    let folder = try TemporaryFolder()
    let (good, bad) = (folder.file("good.npz"), folder.file("bad.npz"))
    try write(good)
    let arrays = try NpzFile.read(ByteRegion(try MappedFile(path: good)))
    let text = try #require(try arrays["training"]?.elements(as: UInt8.self))
    let json = try JSONValue.parse(text)
    func edited(_ json: JSONValue) throws {
      let members = arrays.map { name, tensor in
        (name: name, tensor: name == "training" ? Tensor(Array(json.text().utf8)) : tensor)
      }
      try NpzFile.write(members, to: bad)
    }
    try edited(json)
    try resume(bad)
    func expectRefused(_ key: String, _ json: JSONValue) throws {
      try edited(json)
      do {
        try resume(bad)
        Issue.record("\(key) was taken: \(json.text().prefix(300))")
      } catch let error as FormatError {
        #expect(error.file == bad, "\(key): \(error)")
      }
    }
    for number in Self.numbers {
      try expectRefused("step", json.with("step", .int(number)))
      for key in ["epoch", "batch", "rows"] {
        let position = try #require(json["position"]).with(key, .int(number))
        try expectRefused(key, json.with("position", position))
      }
      let best: JSONValue = ["value": "5", "epoch": .int(number), "waited": 0]
      try expectRefused("best", json.with("best", best))
      let waited: JSONValue = ["value": "5", "epoch": 1, "waited": .int(number)]
      try expectRefused("waited", json.with("best", waited))
      let plateau: JSONValue = ["value": "5", "waited": .int(number), "rest": 0]
      try expectRefused("plateau", json.with("plateau", plateau))
    }
    let position = try #require(json["position"])
    try expectRefused("row", json.with("position", position.with("rows", 3)))
    try expectRefused(
      "batch",
      json.with("position", position.with("batch", 3).with("rows", 12)))
    try expectRefused("epoch", json.with("position", position.with("epoch", 2)))
    try expectRefused("text", json.with("position", position.with("epoch", "x")))
    try expectRefused("rate", json.with("reduced_rate", .number("NaN")))
    try expectRefused(
      "product", json.with("momentum_product", .string("\(Float.nan.bitPattern)")))
  }

  @Test(arguments: numbers) func stepsOfAStateAreChecked(_ step: Int) throws {
    let trainer = try trainer()
    let state = trainer.state
    #expect(throws: EngineError.self) {
      try trainer.restoreOptimizer(step: step, slots: state.slots)
    }
    try trainer.restoreOptimizer(step: 1 << 53, slots: state.slots)
    _ = try trainer.fit(try rows(), batch: 4, epochs: 2)
  }

  @Test(arguments: [Int.min, -5, -1, 0, 1, 1 << 40, 1 << 62, .max])
  func curvesHaveASaneNumberOfPoints(_ count: Int) throws {
    for isPrecisionRecall in [false, true] {
      let metric = Metric(
        "curve", .areaUnderCurve(thresholds: count, isPrecisionRecall: isPrecisionRecall))
      let trainer = try trainer(Loss(.meanSquaredError), metrics: [metric])
      let data = try TrainingArrays(
        inputs: [Tensor([Float](repeating: 1, count: 8), shape: [2, 4])],
        targets: Tensor([Float](repeating: 1, count: 6), shape: [2, 3]))
      #expect(throws: EngineError.self) { try trainer.fit(data) }
      #expect(throws: EngineError.self) { try trainer.evaluate(data) }
    }
  }

  /// A metric that reads a target for each output has none where the loss takes class numbers.
  @Test func metricsFitTheTargets() throws {
    let kinds: [Metric.Kind] = [
      .binaryAccuracy(), .precision(), .recall(), .areaUnderCurve(), .rootMeanSquaredError,
      .loss(.meanSquaredError),
      .loss(.categoricalCrossEntropy),
    ]
    for kind in kinds {
      let trainer = try trainer(metrics: [Metric("m", kind)])
      #expect(throws: EngineError.self, "\(kind)") { try trainer.fit(try rows()) }
    }
    for kind in [
      .accuracy, .topK(.max), .topK(.min), .f1(), .f1(threshold: .nan), .sparseCategoricalAccuracy,
    ]
      as [Metric.Kind]
    {
      _ = try trainer(metrics: [Metric("m", kind)]).fit(try rows())
    }
    let classes = Metric("m", .loss(Loss(.sparseCategoricalCrossEntropy)))
    let trainer = try trainer(Loss(.meanSquaredError), metrics: [classes])
    let data = try TrainingArrays(
      inputs: [Tensor([Float](repeating: 1, count: 8), shape: [2, 4])],
      targets: Tensor([Float.nan, 1e30, 7, 0, 0, 0], shape: [2, 3]))
    #expect(throws: EngineError.self) { try trainer.evaluate(data) }
  }

  /// Rows of NaN have figures, if only NaN.
  @Test func figuresOfNaN() throws {
    let metrics = [
      Metric("auc", .areaUnderCurve()), Metric("p", .precision()),
      Metric("f1", .f1(threshold: 0.5)),
    ]
    let trainer = try trainer(Loss(.meanSquaredError), metrics: metrics)
    for value in [Float.nan, .infinity, -.infinity, 3e38] {
      let data = try TrainingArrays(
        inputs: [Tensor([Float](repeating: value, count: 8), shape: [2, 4])],
        targets: Tensor([Float](repeating: value, count: 6), shape: [2, 3]))
      #expect(try trainer.evaluate(data).metrics.count == 3)
      _ = try trainer.confusionMatrix(data)
    }
  }

  /// A step over all that there is takes one element.
  @Test(arguments: [.max, .max - 1, .min + 1] as [Int64]) func gradientsOfSlicesWithFarSteps(_ step: Int64) throws {
    var graph = Graph()
    graph.inputs = [Value(name: "x", elementType: .float32, shape: [2, 4])]
    graph.outputs = [Value(name: "y", elementType: .float32, shape: [2, 1])]
    graph.nodes = [
      Node("MatMul", inputs: ["x", "w"], outputs: ["h"]),
      Node("Slice", inputs: ["h", "start", "end", "axis", "step"], outputs: ["y"]),
    ]
    let end = Tensor([step < 0 ? Int64.min : 3])
    graph.initializers = [
      Initializer(name: "w", tensor: Tensor([Float](repeating: 0.5, count: 12), shape: [4, 3])),
      Initializer(name: "start", tensor: Tensor([Int64(1)])), Initializer(name: "end", tensor: end),
      Initializer(name: "axis", tensor: Tensor([Int64(1)])), Initializer(name: "step", tensor: Tensor([step])),
    ]
    var settings = TrainingSettings(loss: .meanSquaredError, optimizer: .sgd())
    settings.parameters = [TrainableParameter("w")]
    let trainer = try Trainer(
      Model(graph: graph, operatorSets: [OperatorSetImport(version: 17)], irVersion: 8), settings: settings)
    let gradients = try trainer.gradients(
      inputs: [Tensor([Float](repeating: 1, count: 8), shape: [2, 4])],
      targets: Tensor([0, 0] as [Float], shape: [2, 1]))
    #expect(try gradients.first?.tensor.elements(as: Float.self) == [0, 4, 0, 0, 4, 0, 0, 4, 0, 0, 4, 0])
  }

  /// Classes of one output are whole numbers, or none.
  @Test func truthsThatAreNoClassesAreNotCounted() throws {
    let training = try KerasTraining(
      try NetworkBuilder.sequential(
        input: [4], [.dense(1, activation: "sigmoid")] as [LayerSpecification], seed: 3))
    let trainer = try Trainer(
      training.model,
      settings: training.settings(loss: Loss(.binaryCrossEntropy), optimizer: .adam()))
    let data = try TrainingArrays(
      inputs: [Tensor([Float](repeating: 1, count: 20), shape: [5, 4])],
      targets: Tensor([Float.nan, .infinity, 1e30, -1e30, 1], shape: [5, 1]))
    #expect(try trainer.confusionMatrix(data).joined().reduce(0, +) == 1)
  }
}

extension JSONValue {
  /// The object with another value under a key.
  fileprivate func with(_ key: String, _ value: JSONValue) -> JSONValue {
    guard case .object(var members) = self else { return self }
    members[key] = value
    return .object(members)
  }
}
