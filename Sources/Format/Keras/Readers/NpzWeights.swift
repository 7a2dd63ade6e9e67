/// Reads the `model.weights.npz` of a Keras archive.
///
/// Keras writes one member a layer, a dictionary of arrays that NumPy pickles. The pickle is interpreted as data by
/// `PickledArrays`; nothing that it names is ever called.
struct NpzWeights {
  let limits: ReadLimits

  /// The variables as the same tree that a `.weights.h5` gives.
  func tree(_ region: ByteRegion) throws(FormatError) -> WeightTree {
    var tree = WeightTree(path: "/")
    let archive = try ZipArchive(region, limits: limits)
    for name in archive.members.keys where name.hasSuffix(".npy") {
      var parts = name.dropLast(".npy".count).split { $0 == "/" || $0 == "\\" }.map(String.init)
      if parts == ["__root__"] { parts = [] }
      let variables = try variables(of: archive.region(name), name: name)
      if parts.last == "vars" { parts.removeLast() }
      tree.descend(parts[...]) { node in node.variables += variables }
    }
    return tree
  }

  private func variables(of region: ByteRegion, name: String) throws(FormatError) -> [KerasWeight] {
    let header = try NpyFile.header(of: region)
    guard header.descriptor.hasSuffix("O") else {
      return [KerasWeight(name: "0", path: name, value: .success(try NpyFile.read(region)))]
    }
    let arrays = try PickledArrays.dictionary(try region.bytes(header.dataOffset..<region.count), name: name)
    return arrays.sorted { WeightTree.precedes($0.key, $1.key) }.map { key, tensor in
      KerasWeight(name: key, path: "\(name)/\(key)", value: .success(tensor))
    }
  }
}
