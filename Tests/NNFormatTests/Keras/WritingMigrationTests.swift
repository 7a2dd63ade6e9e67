import NNFormat
import TestSupport
import Testing

@Suite struct WritingMigrationTests {
  @Test(arguments: [
    "keras1_whole.h5", "keras1_normalised.h5", "keras2_bare_list.h5", "keras2_functional.h5", "tf_activations.h5",
    "tf_dense_activations.h5", "tf_nested.h5", "tf_outer.h5", "tf_slashes.h5", "tf_shared.h5", "tf_trained_adam.h5",
  ]) func olderConfigurationsBecomeThoseOfKeras3(_ name: String) throws {
    let folder = try TemporaryFolder()
    try KerasWriter.write(try kerasFile(Fixtures.model(name)), to: folder.file("x.keras"))
    let model = try kerasFile(folder.file("x.keras"))
    #expect(model.generation == 3)
    let text = try #require(model.configuration).text()
    for old in ["batch_input_shape", "output_dim", "W_regularizer", "\"hard_sigmoid\"", "tf_keras", "\"input_dtype\""] {
      #expect(!text.contains(old), "\(old)")
    }
    let layers = try #require(model.configuration?["config"]?["layers"]?.array)
    #expect(layers.first?["class_name"]?.string == "InputLayer")
    for layer in layers {
      #expect(layer["module"]?.string != nil)
      #expect(layer["config"]?["name"]?.string?.contains("/") == false)
    }
    // What is read back still runs.
    _ = try ModelFile.read(folder.file("x.keras")).model()
  }

  @Test func legacyFilesKeepTheirGeneration() throws {
    let folder = try TemporaryFolder()
    for name in ["keras1_whole.h5", "tf_nested.h5"] {
      let model = try kerasFile(Fixtures.model(name))
      try KerasWriter.write(model, to: folder.file("x.h5"))
      #expect(try kerasFile(folder.file("x.h5")).kerasVersion == model.kerasVersion)
    }
  }
}

@Suite struct WeightExchangeTests {
  @Test func eachNameIsAccountedFor() throws {
    let model = try kerasFile(Fixtures.model("trained_adam.keras"))
    let (changed, report) = WeightExchange.replacing(
      [
        "adam/hidden/kernel": Tensor([Float](repeating: 1, count: 20), shape: [4, 5]),
        "hidden/hidden/bias:0": Tensor([Float](repeating: 2, count: 5)),
        "out/kernel": Tensor([Float](repeating: 3, count: 4), shape: [2, 2]),
        "elsewhere/kernel": Tensor([Float(0)]),
      ], in: model)
    #expect(report.loaded == ["hidden/kernel", "hidden/bias"])
    #expect(report.unused == ["elsewhere/kernel"])
    #expect(report.mismatched == ["out/kernel: [2, 2] instead of [5, 2]"])
    #expect(report.missing.contains("norm/gamma") && report.missing.count == 5)
    #expect(!report.isComplete)
    #expect(try WeightExchange.tensors(of: changed)["hidden/bias"]?.elements(as: Float.self) == [2, 2, 2, 2, 2])
  }

  @Test(arguments: ["nested.keras", "tf_shared.h5", "precision_bfloat16.keras", "digits.weights.h5"])
  func safetensorsComeBack(_ name: String) throws {
    let folder = try TemporaryFolder()
    let tensors = try WeightExchange.tensors(of: try kerasFile(Fixtures.model(name)))
    #expect(!tensors.isEmpty)
    try SafetensorsFile.write(.init(tensors: tensors, metadata: ["format": "pt"]), to: folder.file("x.safetensors"))
    let again = try SafetensorsFile.read(ByteRegion(try MappedFile(path: folder.file("x.safetensors"))))
    #expect(Array(again.tensors.keys) == Array(tensors.keys))
    #expect(again.metadata == ["format": "pt"])
    for (key, tensor) in tensors {
      #expect(try again.tensors[key]?.denseBytes == tensor.denseBytes)
      #expect(again.tensors[key]?.elementType == tensor.elementType)
      #expect(again.tensors[key]?.shape == tensor.shape)
    }
  }

  private static let plain = #""dtype":"F32","shape":[1]"#
  @Test(arguments: [
    (#"{"a":{\#(plain),"data_offsets":[0,8]}}"#, 8, FormatError.Kind.malformed),
    (#"{"a":{\#(plain),"data_offsets":[4,8]}}"#, 8, .malformed),
    (#"{"a":{\#(plain),"data_offsets":[0,4]}}"#, 8, .malformed),
    (#"{"a":{\#(plain),"data_offsets":[0,4]},"b":{\#(plain),"data_offsets":[2,6]}}"#, 6, .malformed),
    (#"{"a":{\#(plain),"data_offsets":[4,0]}}"#, 4, .malformed),
    (#"{"a":{\#(plain),"data_offsets":[-4,0]}}"#, 4, .malformed),
    (#"{"a":{\#(plain),"data_offsets":[0,400]}}"#, 4, .malformed),
    (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, .limit),
    (#"{"a":{"dtype":"Q9","shape":[1],"data_offsets":[0,4]}}"#, 4, .unsupported), ("[]", 0, .malformed),
    ("{", 0, .malformed),
  ]) func damagedSafetensorsAreRefused(_ header: String, _ count: Int, _ kind: FormatError.Kind) throws {
    let text = Array(header.utf8)
    let bytes =
      (0..<8).map { UInt8(truncatingIfNeeded: text.count >> ($0 * 8)) } + text + [UInt8](repeating: 0, count: count)
    for (bytes, kind) in [(bytes, kind), (Array(bytes.prefix(7)), .truncated), (Array(bytes.prefix(8)), .truncated)] {
      let error = #expect(throws: FormatError.self) {
        try SafetensorsFile.read(ByteRegion(AlignedBytes(copying: bytes), name: "x.safetensors"))
      }
      #expect(error?.kind == kind, "\(String(describing: error))")
    }
  }
}
