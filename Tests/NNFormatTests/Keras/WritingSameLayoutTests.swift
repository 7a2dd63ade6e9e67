import NNFormat
import TestSupport
import Testing

/// The fixtures that are Keras files in one HDF5 file or archive and can be read.
private let sources = Fixtures.rows.filter { row in
  guard case .keras(let model)? = try? ModelFile.read(row.path).content else { return false }
  return [.legacyModel, .legacyWeights, .weights, .archive].contains(model.layout)
}

@Suite struct WritingSameLayoutTests {
  /// What was read and is written again holds the same tree, attributes and elements, and a second time the same bytes.
  @Test(arguments: sources) func everythingIsKept(_ row: FixtureRow) throws {
    let folder = try TemporaryFolder()
    let model = try kerasFile(row.path)
    // Links into other files and elements that are no numbers are refused, not lost.
    let refused = ["external_link.h5", "string_kernel.h5", "truncated.h5", "duplicate_member.keras"]
    let (first, second) = (folder.file("first"), folder.file("second"))
    do throws(FormatError) {
      try KerasWriter.write(model, to: first, layout: model.layout)
    } catch {
      #expect([.refused, .unsupported, .truncated, .missing, .malformed].contains(error.kind), "\(error)")
      #expect(row.expectation != .predict || refused.contains(row.name), "\(error)")
      #expect(!FileSystem.exists(first))
      return
    }
    let again = try kerasFile(first)
    #expect(again.layout == model.layout)
    #expect(again.configuration == model.configuration)
    #expect(again.trainingConfiguration == model.trainingConfiguration)
    #expect(again.metadata == model.metadata)
    if let (old, new) = try roots(row.path, first) { try expectEqual(old, new) }
    try KerasWriter.write(again, to: second, layout: model.layout)
    #expect(try TemporaryFolder.bytes(of: first) == TemporaryFolder.bytes(of: second))
  }

  @Test func theFixturesAreMany() { #expect(sources.count > 120) }

  @Test func changedElementsAreWritten() throws {
    let folder = try TemporaryFolder()
    for name in ["trained_adam.h5", "trained_adam.keras", "trained_adam.weights.h5"] {
      var model = try kerasFile(Fixtures.model("trained_adam.keras"))
      if name != "trained_adam.keras" {
        model = try kerasFile(Fixtures.model("trained_amsgrad.h5"))
      }
      let bias = Tensor([Float](repeating: 7, count: 5))
      let (changed, report) = WeightExchange.replacing(["hidden/bias": bias], in: model)
      #expect(report.loaded == ["hidden/bias"])
      try KerasWriter.write(changed, to: folder.file(name))
      let again = try kerasFile(folder.file(name))
      let written =
        again.root == nil ? try again.adopting(architecture: model) : again
      let tensors = try WeightExchange.tensors(of: written)
      #expect(try tensors["hidden/bias"]?.elements(as: Float.self) == [7, 7, 7, 7, 7], "\(name)")
      let other = try WeightExchange.tensors(of: model)["hidden/kernel"]?.denseBytes
      #expect(try tensors["hidden/kernel"]?.denseBytes == other)
    }
  }

  private func roots(_ old: String, _ new: String) throws -> (HDF5Group, HDF5Group)? {
    func root(_ path: String) throws -> HDF5Group? {
      let region = ByteRegion(try MappedFile(path: path))
      if region.prefix(2) != Array("PK".utf8) { return try HDF5Index(region).root }
      let archive = try ZipArchive(region)
      guard archive.members["model.weights.h5"] != nil else { return nil }
      return try HDF5Index(try archive.region("model.weights.h5")).root
    }
    guard let before = try root(old), let after = try root(new) else { return nil }
    return (before, after)
  }

  private func expectEqual(_ old: HDF5Group, _ new: HDF5Group) throws {
    try expectEqual(old.attributes, new.attributes, at: old.path)
    #expect(old.stringKinds == new.stringKinds, "\(old.path)")
    #expect(Array(old.children.keys) == Array(new.children.keys), "\(old.path)")
    for (name, object) in old.children {
      switch (object, new.children[name]) {
      case (.group(let old), .group(let new)): try expectEqual(old, new)
      case (.dataset(let old), .dataset(let new)):
        let (before, after) = (try old.tensor(), try new.tensor())
        #expect(before.elementType == after.elementType && before.shape == after.shape, "\(old.path)")
        #expect(try before.denseBytes == after.denseBytes, "\(old.path)")
        #expect(old.stringKinds == new.stringKinds, "\(old.path)")
        try expectEqual(old.attributes, new.attributes, at: old.path)
      case (.softLink(let old), .softLink(let new)): #expect(old == new)
      default: Issue.record("\(old.path)/\(name) is another kind of object")
      }
    }
  }

  private func expectEqual(
    _ old: some Sequence<(key: String, value: HDF5Attribute)>,
    _ new: some Sequence<(key: String, value: HDF5Attribute)>,
    at path: String
  ) throws {
    func described(_ attribute: HDF5Attribute) throws -> String {
      switch attribute {
      case .strings(let texts, let shape): "\(texts) \(shape)"
      case .tensor(let tensor): "\(tensor.elementType) \(tensor.shape) \(try tensor.denseBytes)"
      case .other(let text): text
      }
    }
    let before = try old.map { "\($0.key): \(try described($0.value))" }
    #expect(try new.map { "\($0.key): \(try described($0.value))" } == before, "\(path)")
  }
}

/// A file that must be Keras's.
func kerasFile(_ path: String) throws -> KerasModel {
  guard case .keras(let model) = try ModelFile.read(path).content else {
    throw FormatError(.mismatch, "not a Keras file", file: path)
  }
  return model
}
