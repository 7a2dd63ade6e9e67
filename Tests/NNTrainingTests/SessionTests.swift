import NNEngine
import NNFormat
import NNTraining
import TestSupport
import Testing

/// Trainings that stop and go on.
@Suite struct SessionTests {
  private static let layers: [LayerSpecification] = [
    .dense(8, activation: "relu"), .batchNormalization(momentum: 0.9), .dropout(0.3), .dense(3, activation: "softmax"),
  ]

  /// Rows of three classes, each about a corner of its own.
  private func rows() throws -> TrainingArrays {
    var random = SeededRandom(seed: 5)
    var (x, y): ([Float], [Float]) = ([], [])
    for row in 0..<90 {
      let label = row % 3
      for axis in 0..<4 { x.append((axis == label ? 2 : 0) + Float(random.normal()) * 0.4) }
      y.append(Float(label))
    }
    return try TrainingArrays(inputs: [Tensor(x, shape: [90, 4])], targets: Tensor(y))
  }

  private func trainer(threads: Int? = nil) throws -> Trainer {
    let training = try KerasTraining(try NetworkBuilder.sequential(input: [4], Self.layers, seed: 3))
    return try Trainer(
      training.model,
      settings: training.settings(
        loss: Loss(.sparseCategoricalCrossEntropy), optimizer: .adam(0.02), metrics: [.accuracy], seed: 9),
      options: EngineOptions(threads: threads))
  }

  private func bits(_ state: TrainingState) throws -> [[UInt32]] {
    var bits: [[UInt32]] = []
    for tensor in (state.parameters + state.statistics).map(\.tensor) + state.slots.flatMap(\.tensors) {
      bits.append(try tensor.elements(as: Float.self).map(\.bitPattern))
    }
    return bits
  }

  @Test func learnsToTellCornersApart() throws {
    let trainer = try trainer()
    let history = try trainer.fit(try rows(), batch: 16, epochs: 30)
    #expect(history.count == 30 && history[29].loss < history[0].loss)
    let result = try trainer.evaluate(try rows())
    #expect(result.metrics[0].value > 0.95)
    let matrix = try trainer.confusionMatrix(try rows())
    #expect(matrix.map { $0.reduce(0, +) } == [30, 30, 30])
  }

  @Test func theSameBitsOnAnyNumberOfThreads() throws {
    let (one, two) = (try trainer(threads: 1), try trainer(threads: 2))
    try one.fit(try rows(), batch: 32, epochs: 2)
    try two.fit(try rows(), batch: 32, epochs: 2)
    #expect(try bits(one.state) == bits(two.state))
  }

  @Test func aResumedTrainingEqualsAnUninterruptedOne() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("run.npz")
    var options = SessionOptions()
    (options.batch, options.epochs, options.checkpoint) = (16, 3, path)
    let whole = TrainingSession(try trainer(), options, fingerprint: "test")
    _ = try whole.run(try rows(), validation: nil)
    let first = TrainingSession(try trainer(), options, fingerprint: "test")
    var batches = 0
    let ending = try first.run(
      try rows(), validation: nil,
      afterBatch: { _ in
        batches += 1
        return batches == 8 ? .stop : .proceed
      })
    guard case .interrupted = ending else {
      Issue.record("it went on")
      return
    }
    let second = TrainingSession(try trainer(), options, fingerprint: "test")
    try second.resume(try Checkpoint(path: path), path: path)
    _ = try second.run(try rows(), validation: nil)
    #expect(try bits(second.trainer.state) == bits(whole.trainer.state))
    #expect(second.history.map(\.loss) == whole.history.map(\.loss))
  }

  @Test func aCheckpointOfAnotherTrainingIsRefused() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("run.npz")
    var options = SessionOptions()
    options.checkpoint = path
    _ = try TrainingSession(try trainer(), options, fingerprint: "one").run(try rows(), validation: nil)
    let other = TrainingSession(try trainer(), options, fingerprint: "two")
    #expect(throws: FormatError.self) { try other.resume(try Checkpoint(path: path), path: path) }
  }

  @Test func aLossThatIsNoNumberNamesEpochBatchAndNode() throws {
    let trainer = try trainer()
    let x = Tensor([Float](repeating: .nan, count: 8), shape: [2, 4])
    let data = try TrainingArrays(inputs: [x], targets: Tensor([Float(0), 1]))
    do {
      try trainer.fit(data)
      Issue.record("nothing was thrown")
    } catch {
      #expect(error.message.contains("epoch 1, batch 1") && error.message.contains("dense"))
    }
  }

  @Test func rowsThatCannotBeReadAreNamed() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a,b,kind\n1,2,cat\n3,,dog\n5,6,dog\n", to: "rows.csv")
    let inputs = [Value(name: "x", elementType: .float32, shape: [.symbolic("batch"), 2])]
    do throws(FormatError) {
      _ = try DataFile.read(path, targets: nil, target: "kind", skipsBad: false, inputs: inputs)
      Issue.record("nothing was thrown")
    } catch {
      #expect(error.place == "line 3" && error.file == path)
    }
    let data = try DataFile.read(path, targets: nil, target: "kind", skipsBad: true, inputs: inputs)
    #expect(data.skipped == 1 && data.classNames == ["cat", "dog"])
    #expect(try data.targets.elements(as: Float.self) == [0, 1])
    #expect(throws: FormatError.self) {
      _ = try data.rows(for: Loss(.sparseCategoricalCrossEntropy), outputCount: 1, file: path)
    }
  }
}
