import OrderedCollections

/// Reads the `model.weights.npz` of a Keras archive.
///
/// Keras writes one member a layer, a dictionary of arrays that NumPy pickles. The pickle is interpreted as data by
/// `PickledArrays`; nothing that it names is ever called.
struct NpzWeights {
  let limits: ReadLimits
  /// What the pickles hold beside arrays, and the archive beside its members.
  private(set) var findings: [Finding] = []

  init(limits: ReadLimits) { self.limits = limits }

  /// The variables as the same tree that a `.weights.h5` gives.
  mutating func tree(_ region: ByteRegion) throws(FormatError) -> WeightTree {
    var tree = WeightTree(path: "/")
    let archive = try ZipArchive(region, limits: limits)
    findings += archive.findings.map { Finding($0.severity, $0.code, $0.message, at: "model.weights.npz:\($0.place)") }
    for name in archive.members.keys where name.hasSuffix(".npy") {
      var parts = name.dropLast(".npy".count).split { $0 == "/" || $0 == "\\" }.map(String.init)
      if parts == ["__root__"] { parts = [] }
      let variables = try variables(of: archive.region(name), name: name)
      if parts.last == "vars" { parts.removeLast() }
      tree.descend(parts[...]) { node in node.variables += variables }
    }
    return tree
  }

  private mutating func variables(of region: ByteRegion, name: String) throws(FormatError) -> [KerasWeight] {
    let header = try NpyFile.header(of: region)
    guard header.descriptor.hasSuffix("O") else {
      return [KerasWeight(name: "0", path: name, value: .success(try NpyFile.read(region, limits: limits)))]
    }
    let arrays: OrderedDictionary<String, Tensor>
    do throws(FormatError) {
      let content = try PickledArrays.content(try region.bytes(header.dataOffset..<region.count), name: name)
      arrays = content.arrays
      for callable in content.names where !Self.isOfVariables(callable) {
        findings.append(
          Finding(.error, "pickled-object", "the pickle would call \"\(callable)\", which is never done", at: name))
      }
    } catch {
      let message = "\(error.message); nothing that a pickle names is ever called"
      findings.append(Finding(.error, "pickled-object", message, at: name))
      return [KerasWeight(name: "0", path: name, value: .failure(error))]
    }
    return arrays.sorted { WeightTree.precedes($0.key, $1.key) }.map { key, tensor in
      KerasWeight(name: key, path: "\(name)/\(key)", value: .success(tensor))
    }
  }

  /// Whether a name is one that Keras's own pickles hold: constructors of arrays and of the variables around them.
  private static func isOfVariables(_ name: String) -> Bool {
    name == "functools.partial"
      || [
        "numpy.", "ml_dtypes.", "keras.src.backend.", "tensorflow.python.ops.resource_variable_ops.",
        "tensorflow.python.framework.dtypes.", "torch._utils._rebuild_", "jax._src.array.",
      ].contains { name.hasPrefix($0) }
  }
}
