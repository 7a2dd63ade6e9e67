import NNFormat
import TestSupport
import Testing

/// `convert` with files of weights alone.
@Suite struct ConvertWeightsTests {
  private let digits = Fixtures.model("digits.keras")

  @Test(arguments: ["w.safetensors", "w.npz", "w.weights.h5"], ["out.keras", "out.h5", "out.onnx", "out.weights.h5"])
  func weightsComeBackByName(_ weights: String, target: String) throws {
    let folder = try TemporaryFolder()
    let out = try Tool.run(["convert", digits, folder.file(weights), "--weights-only", "--check"])
    #expect(out.status == 0, "\(out.error)\(out.output)")
    let back = try Tool.run(
      ["convert", folder.file(weights), folder.file(target), "--architecture", digits, "--check", "--json"])
    #expect(back.status == 0, "\(back.error)\(back.output)")
    let report = try JSONValue.parse(back.output)
    #expect(report["weights"]?["loaded"]?.array?.isEmpty == false)
    for key in ["missing", "unused", "mismatched"] { #expect(report["weights"]?[key] == []) }
    #expect(report["check"]?["equal"] == true)
    let same = try Tool.run(["diff", digits, folder.file(target), "--json"])
    let differences = try JSONValue.parse(same.output)["differences"]?.array ?? []
    #expect(!differences.contains { $0["section"] == "weights" }, "\(same.output)")
  }

  @Test func namesAreThoseOfKeras() throws {
    let folder = try TemporaryFolder()
    _ = try Tool.run(["convert", Fixtures.model("digits.h5"), folder.file("w.npz")])
    let tensors = try NpzFile.read(ByteRegion(MappedFile(path: folder.file("w.npz"))))
    guard case .keras(let keras) = try ModelFile.read(Fixtures.model("digits.h5")).content else { return }
    let dense = (keras.root?.sublayers ?? []).filter { $0.className == "Dense" }.map(\.name)
    #expect(Array(tensors.keys) == dense.flatMap { ["\($0)/kernel", "\($0)/bias"] })
  }

  @Test func configurationsAreEnough() throws {
    let folder = try TemporaryFolder()
    let config = try configuration(folder)
    _ = try Tool.run(["convert", digits, folder.file("w.safetensors")])
    let result = try Tool.run(
      ["convert", folder.file("w.safetensors"), folder.file("m.keras"), "--architecture", config, "--check"])
    #expect(result.status == 0, "\(result.error)\(result.output)")
    #expect(result.output.contains("0 missing, 0 unused, 0 mismatched"))
  }

  @Test func whatIsMissingIsNamed() throws {
    let folder = try TemporaryFolder()
    let tensors = try changed(folder) { $0.removeLast() }
    try expectFailure(
      ["convert", tensors, folder.file("m.keras"), "--architecture", digits], ["lacks 1 of", "/bias", "--partial"])
    #expect(try !folder.names.contains("m.keras"))
    let partial = try Tool.run(
      ["convert", tensors, folder.file("m.onnx"), "--architecture", digits, "--partial", "--check"])
    #expect(partial.status == 0, "\(partial.error)\(partial.output)")
    #expect(partial.output.contains("1 missing"))
    let diff = try Tool.run(["diff", digits, folder.file("m.onnx"), "--json"])
    #expect(
      try JSONValue.parse(diff.output)["tensors"]?["identical"] == JSONValue.parse(diff.output)["tensors"]?["compared"])
    try expectFailure(
      ["convert", tensors, folder.file("n.keras"), "--architecture", try configuration(folder), "--partial"],
      ["lacks 1 of"])
  }

  @Test func whatDoesNotFitIsNamed() throws {
    let folder = try TemporaryFolder()
    let tensors = try changed(folder) { $0[$0.count - 1].tensor = Tensor([1, 2, 3] as [Float]) }
    for architecture in [digits, try configuration(folder)] {
      try expectFailure(
        ["convert", tensors, folder.file("m.keras"), "--architecture", architecture], ["(3)", "10)"])
    }
    let partial = try Tool.run(["convert", tensors, folder.file("m.h5"), "--architecture", digits, "--partial"])
    #expect(partial.status == 0 && partial.output.contains("1 mismatched"), "\(partial.error)")
    let unused = try changed(folder) { $0.append(("other/kernel", Tensor([1] as [Float]))) }
    let result = try Tool.run(["convert", unused, folder.file("m.h5"), "--architecture", digits])
    #expect(result.status == 0 && result.output.contains("unused: other/kernel"))
    let strange = try changed(folder) { $0 = [("a", Tensor([1] as [Float]))] }
    try expectFailure(["convert", strange, folder.file("n.h5"), "--architecture", digits], ["none of its weights"])
    try expectFailure(["convert", strange, folder.file("n.h5"), "--partial"], ["--architecture"])
    try expectFailure(["convert", strange, folder.file("n.keras")], ["without layers"])
    try expectFailure(["convert", strange, folder.file("n.onnx")], ["--architecture"])
  }

  @Test(arguments: ["w.safetensors", "w.npz"]) func everyVerbTakesThem(_ name: String) throws {
    let folder = try TemporaryFolder()
    let weights = folder.file(name)
    _ = try Tool.run(["convert", digits, weights])
    #expect(try Tool.run(["inspect", weights]).status == 0)
    #expect(try Tool.run(["diff", weights, digits]).status == 0)
    #expect(try Tool.run(["check", weights]).status == 0)
    let images = Fixtures.path("digits/images.npy")
    let result = try Tool.run(["predict", weights, "--architecture", digits, "--input", images])
    #expect(result.status == 0)
    #expect(try result.output == Tool.run(["predict", digits, "--input", images]).output)
  }

  private func configuration(_ folder: TemporaryFolder) throws -> String {
    guard case .keras(let keras) = try ModelFile.read(digits).content else { return "" }
    return try folder.write(keras.configuration?.text() ?? "", to: "config.json")
  }

  /// The weights of the digits model in a `.npz`, changed.
  private func changed(
    _ folder: TemporaryFolder, _ change: (inout [(name: String, tensor: Tensor)]) -> Void
  ) throws -> String {
    guard case .keras(let keras) = try ModelFile.read(digits).content else { return "" }
    var tensors = try WeightExchange.tensors(of: keras).map { (name: $0.key, tensor: $0.value) }
    change(&tensors)
    let path = folder.file("changed.npz")
    try NpzFile.write(tensors, to: path)
    return path
  }
}
