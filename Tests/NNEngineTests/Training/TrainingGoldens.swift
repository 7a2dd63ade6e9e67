import NNEngine
import NNFormat
import TestSupport
import Testing

/// What `fixtures/generate/training_steps.py` wrote down of real Keras.
enum TrainingGoldens {
  static func arrays(_ name: String) throws -> [String: Tensor] {
    if let known = files[name] { return known }
    return try read(name)
  }

  /// Read once; the same for all tests.
  private static let files: [String: [String: Tensor]] = Dictionary(
    uniqueKeysWithValues: ["data", "steps", "losses", "gradients", "constraints", "several"].map {
      ($0, (try? read($0)) ?? [:])
    })

  private static func read(_ name: String) throws -> [String: Tensor] {
    let region = ByteRegion(try MappedFile(path: Fixtures.path("training/\(name).npz")))
    return Dictionary(uniqueKeysWithValues: try NpzFile.read(region).map { ($0.key, $0.value) })
  }

  static let settings: JSONValue =
    (try? JSONValue.parse(ByteRegion(MappedFile(path: Fixtures.path("training/settings.json"))).bytes())) ?? .null

  static func names(_ section: String) -> [String] { (settings[section]?.object?.keys).map(Array.init) ?? [] }

  static func model(_ name: String) throws -> KerasModel {
    guard case .keras(let model) = try ModelFile.read(Fixtures.path("training/\(name).keras")).content else {
      throw FormatError(.mismatch, "not a Keras model")
    }
    return model
  }

  /// The optimizer and the loss as a file would state them.
  static func compileSettings(optimizer: String, loss: String, _ model: KerasModel) throws -> CompileSettings {
    var model = model
    model.trainingConfiguration = [
      "optimizer": settings["optimizers"]?[optimizer] ?? .null, "loss": settings["losses"]?[loss] ?? .null,
    ]
    return try model.compileSettings()
  }

  /// Expects all parameters of a trainer, one after the other in `expected`, within 1e-5 of their scale.
  static func expectParameters(
    of trainer: Trainer, _ expected: Tensor, _ comment: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var rest = try expected.elements(as: Float.self)[...]
    for (name, tensor) in trainer.state.parameters {
      let wanted = Tensor(Array(rest.prefix(tensor.count)), shape: tensor.shape)
      rest = rest.dropFirst(tensor.count)
      let difference = try difference(tensor, wanted)
      #expect(difference < 1e-5, "\(comment), \(name): \(difference)", sourceLocation: sourceLocation)
    }
    #expect(rest.isEmpty, "\(comment)", sourceLocation: sourceLocation)
  }

  /// The largest difference, relative to the largest value.
  static func difference(_ actual: Tensor, _ expected: Tensor) throws -> Double {
    let (a, b) = (try actual.doubles(), try expected.doubles())
    guard a.count == b.count else { return .infinity }
    let scale = b.map { abs($0) }.max() ?? 0
    let largest = zip(a, b).map { $0.isFinite ? abs($0 - $1) : .infinity }.max() ?? 0
    return largest / max(scale, 1e-2)
  }
}
