import Foundation
import NNEngine
import NNFormat
import NNTraining
import TestSupport
import Testing

/// A training that goes on in another program equals one that stayed where it was: from real Keras to here and from here to
/// real Keras, with the optimizer's state and the compile settings of the file.
@Suite struct TrainingTests {
  private static let optimizers = [
    "sgd", "momentum", "rmsprop", "adam", "amsgrad", "adamw", "adamax", "nadam", "adagrad", "adadelta", "lion", "ftrl",
    "scheduled",
  ]
  private static let endings = ["keras", "h5"]

  private struct Exchange: Sendable {
    let folder: TemporaryFolder
    let x: Tensor
    let y: Tensor
    var failures: [String: String] = [:]
    var answers: [String: PythonPeer.Answer] = [:]

    func path(_ optimizer: String, _ name: String) -> String { folder.file("\(optimizer)/\(name)") }

    init() throws {
      folder = try TemporaryFolder()
      (x, y) = try Self.data()
      let data = folder.file("rows.npz")
      try NpzFile.write([("x", x), ("y", y)], to: data)
      let peer = PythonPeer(script: "training_peer.py")
      var jobs: [PythonPeer.Job] = []
      for optimizer in optimizers {
        try FileManager.default.createDirectory(
          atPath: folder.file(optimizer), withIntermediateDirectories: true)
        jobs.append(
          PythonPeer.Job(
            id: optimizer, file: folder.file(optimizer), inputs: data, outputs: "", more: ["optimizer": optimizer]))
      }
      for (id, answer) in try peer.answers(to: jobs) {
        if case .error(let message) = answer { failures[id] = message }
      }
      jobs = []
      for optimizer in optimizers where failures[optimizer] == nil {
        for ending in endings {
          let file = path(optimizer, "ours.\(ending)")
          do {
            let network = try trained(path(optimizer, "start.keras"))
            try TrainableModel.write(network, to: file)
          } catch {
            failures["\(optimizer).\(ending)"] = "\(error)"
            continue
          }
          jobs.append(
            PythonPeer.Job(
              id: "\(optimizer).\(ending)", file: file, inputs: data, outputs: path(optimizer, "whole.npz")))
        }
      }
      answers = try peer.answers(to: jobs)
    }

    private static func data() throws -> (Tensor, Tensor) {
      var random = SeededRandom(seed: 21)
      var (x, y): ([Float], [Int32]) = ([], [])
      for row in 0..<60 {
        for axis in 0..<6 { x.append((axis % 3 == row % 3 ? 1 : 0) + Float(random.normal())) }
        y.append(Int32(row % 3))
      }
      return (Tensor(x, shape: [60, 6]), Tensor(y))
    }

    /// Three epochs in the order of the rows, from where a file is.
    func trained(_ path: String) throws -> ModelFile {
      let model = try TrainableModel(try ModelFile.read(path))
      let settings = model.settings(
        loss: try #require(model.compiled.loss), optimizer: try #require(model.compiled.optimizer),
        metrics: model.compiled.metrics, seed: 0)
      let trainer = try Trainer(try #require(model.graph), settings: settings)
      if let slots = try model.slots(for: settings) {
        try trainer.restoreOptimizer(step: slots.step, slots: slots.slots, momentumProduct: slots.momentumProduct)
      }
      try trainer.fit(try TrainingArrays(inputs: [x], targets: y), batch: 16, epochs: 3, shuffles: false)
      return model.result(trainer.state, trainer.settings, path: path)
    }
  }

  private static let exchange = Result { try Exchange() }

  @Test(arguments: optimizers, endings) func kerasGoesOn(_ optimizer: String, _ ending: String) throws {
    let exchange = try Self.exchange.get()
    let id = "\(optimizer).\(ending)"
    #expect(exchange.failures[optimizer] == nil && exchange.failures[id] == nil)
    switch exchange.answers[id] {
    case .differences(let differences)?:
      #expect(differences.count == 8 && differences.allSatisfy { $0 < 1e-5 }, "\(differences)")
    case let other: Issue.record("\(id): \(String(describing: other))")
    }
  }

  @Test(arguments: optimizers, endings) func weGoOn(_ optimizer: String, _ ending: String) throws {
    let exchange = try Self.exchange.get()
    let file = try exchange.trained(exchange.path(optimizer, "half.\(ending)"))
    guard case .keras(let model) = file.content else {
      Issue.record("not a Keras model")
      return
    }
    let region = ByteRegion(try MappedFile(path: exchange.path(optimizer, "whole.npz")))
    let expected = try NpzFile.read(region).map(\.value)
    let weights = try (model.root?.all ?? []).flatMap(\.weights.values).map { try $0.tensor() }
    #expect(weights.count == expected.count)
    for (weight, wanted) in zip(weights, expected) {
      let (a, b) = (try weight.doubles(), try wanted.doubles())
      let scale = b.map(abs).max() ?? 0
      let distance = zip(a, b).map { abs($0 - $1) }.max() ?? 0
      #expect(a.count == b.count && distance <= 1e-5 * scale, "\(weight.shape): \(distance / scale)")
    }
  }
}
