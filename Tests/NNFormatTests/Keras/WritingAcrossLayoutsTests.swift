import NNFormat
import TestSupport
import Testing

/// The fixtures whose layers and weights are all understood.
private let complete = Fixtures.rows(.predict).filter { !$0.name.hasPrefix("top_level_weight") }

@Suite struct WritingAcrossLayoutsTests {
  /// Every weight arrives in every layout under its name with its elements.
  @Test(arguments: complete) func weightsArriveInEveryLayout(_ row: FixtureRow) throws {
    guard case .keras(let model) = try row.read().content, model.root != nil else { return }
    let folder = try TemporaryFolder()
    let expected = try WeightExchange.tensors(of: model).mapValues { try $0.denseBytes }
    // An Embedding in a SpectralNormalization computes something else in Keras 3.
    let names = row.name == "tf_wrappers.h5" ? ["x.h5", "x.weights.h5"] : ["x.h5", "x.keras", "x.weights.h5"]
    for name in names {
      try KerasWriter.write(model, to: folder.file(name))
      var again = try kerasFile(folder.file(name))
      if again.root == nil { again = try again.adopting(architecture: model) }
      let tensors = try WeightExchange.tensors(of: again)
      // Names lose what Keras 3 does not allow in them, and order does not count.
      #expect(tensors.count == expected.count, "\(name)")
      for (key, bytes) in expected {
        let tensor = tensors[key] ?? tensors.first { clean($0.key) == clean(key) }?.value
        #expect(try tensor?.denseBytes == bytes, "\(name): \(key)")
      }
    }
  }

  /// A list of names that is too long for one attribute stands in the fewest that hold it, as Keras writes them.
  @Test(arguments: [(900, 1), (1400, 2), (3000, 3)]) func longListsOfNamesAreSplit(_ count: Int, _ parts: Int) throws {
    let folder = try TemporaryFolder()
    let names = (0..<count).map { "a_layer_with_a_name_that_takes_many_bytes_in_a_file_\(1_000_000 + $0)" }
    let layers = names.map {
      "{\"class_name\": \"Activation\", \"config\": {\"name\": \"\($0)\", \"activation\": \"relu\"}}"
    }
    let model = try legacyModel(layers.joined(separator: ", "))
    try KerasWriter.write(model, to: folder.file("x.h5"))
    let attributes = try #require(
      HDF5Index(ByteRegion(MappedFile(path: folder.file("x.h5")))).root.group("model_weights")
    ).attributes
    let lists = attributes.filter { $0.key.hasPrefix("layer_names") }
    #expect(lists.count == parts)
    #expect(lists.keys.contains(parts == 1 ? "layer_names" : "layer_names0"))
    #expect(lists.values.allSatisfy { ($0.strings ?? []).reduce(0) { $0 + $1.utf8.count } <= 64_512 })
    #expect(lists.values.flatMap { $0.strings ?? [] } == names)
    #expect(try kerasFile(folder.file("x.h5")).root?.sublayers.map(\.name) == names)
  }

  private func clean(_ name: String) -> String { name.replacing("/", with: "_") }

  @Test(arguments: [
    ("trained_adam.keras", 14), ("trained_sgd_momentum.keras", 8), ("trained_amsgrad.h5", 20),
    ("tf_trained_adam.h5", 10),
    ("tf_trained_legacy_adam.h5", 10),
  ]) func optimizersTravel(_ name: String, _ count: Int) throws {
    let folder = try TemporaryFolder()
    let model = try kerasFile(Fixtures.model(name))
    try KerasWriter.write(model, to: folder.file("x.keras"))
    let archive = try kerasFile(folder.file("x.keras"))
    #expect(archive.optimizer?.variables.count == count)
    #expect(archive.trainingConfiguration?["optimizer"]?["class_name"]?.string != nil)
    try KerasWriter.write(archive, to: folder.file("x.h5"))
    let legacy = try kerasFile(folder.file("x.h5"))
    #expect(legacy.trainingConfiguration?["optimizer_config"]?["class_name"]?.string != nil)
    let (before, after) = (archive.optimizer?.variables ?? [], legacy.optimizer?.variables ?? [])
    #expect(try after.map { try $0.tensor().denseBytes } == before.map { try $0.tensor().denseBytes })
    #expect(Set(after.map(\.name)).count == count)
  }

  /// Slots that TensorFlow's older Adam keeps by kind stand by variable in Keras 3.
  @Test func slotsAreInterleaved() throws {
    let folder = try TemporaryFolder()
    let old = try kerasFile(Fixtures.model("tf_trained_legacy_adam.h5"))
    try KerasWriter.write(old, to: folder.file("x.keras"))
    let variables = try #require(kerasFile(folder.file("x.keras")).optimizer).variables
    let names = ["Adam/hidden/kernel/m:0", "Adam/hidden/kernel/v:0", "Adam/hidden/bias/m:0", "Adam/hidden/bias/v:0"]
    for (index, name) in names.enumerated() {
      let expected = try #require(old.optimizer?.variables.first { $0.name == name }).tensor().denseBytes
      #expect(try variables[index + 2].tensor().denseBytes == expected, "\(name)")
    }
  }

  @Test func namesFollowTheGeneration() throws {
    let folder = try TemporaryFolder()
    try KerasWriter.write(try kerasFile(Fixtures.model("trained_adam.keras")), to: folder.file("x.h5"))
    #expect(
      try kerasFile(folder.file("x.h5")).weightGroups[0].weights.map(\.name) == [
        "adam/hidden/kernel", "adam/hidden/bias",
      ])
    try KerasWriter.write(try kerasFile(Fixtures.model("tf_nested.keras")), to: folder.file("y.h5"))
    let names = try kerasFile(folder.file("y.h5")).weights.map(\.name)
    #expect(names.allSatisfy { $0.hasSuffix(":0") })
    #expect(names.contains("inner/in_1/kernel:0"))
  }

  @Test(arguments: [
    ("x.h5", KerasModel.Layout.legacyModel), ("a/X.WEIGHTS.H5", .weights), ("x.keras", .archive),
    ("x.json", .configuration),
    ("x.weights.json", .shardedWeights), ("x.hdf5", .legacyModel),
  ]) func extensionsChooseTheLayout(_ name: String, _ layout: KerasModel.Layout) throws {
    #expect(try KerasWriter.layout(of: name) == layout)
  }

  @Test func whatKeras3ComputesOtherwiseIsRefused() throws {
    let folder = try TemporaryFolder()
    let model = try kerasFile(Fixtures.model("tf_wrappers.h5"))
    let error = #expect(throws: FormatError.self) { try KerasWriter.write(model, to: folder.file("x.keras")) }
    #expect(error?.kind == .unsupported && error?.place?.contains("spectral_embedding") == true)
    #expect(try folder.names.isEmpty)
  }

  @Test func weightsWithoutLayersAreRefused() throws {
    let folder = try TemporaryFolder()
    let weights = try kerasFile(Fixtures.model("digits.weights.h5"))
    for name in ["x.h5", "x.keras"] {
      let error = #expect(throws: FormatError.self) { try KerasWriter.write(weights, to: folder.file(name)) }
      #expect(error?.kind == .missing)
    }
    #expect(try folder.names.isEmpty)
  }
}
