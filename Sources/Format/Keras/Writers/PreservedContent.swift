/// A file's content as it was read, so that writing the same layout keeps what the model does not understand.
package struct PreservedContent: Sendable {
  /// A member of an archive.
  struct Member: Sendable {
    var name: String
    var region: ByteRegion
  }

  /// The HDF5 file, or the one inside of an archive.
  var root: HDF5Group?
  /// An archive's members beyond the ones that the model speaks of, in archive order.
  var members: [Member] = []
  private(set) var layout: KerasModel.Layout = .configuration
  private(set) var configuration: JSONValue?
  private(set) var trainingConfiguration: JSONValue?
  private(set) var optimizerPaths: [String] = []

  init(root: HDF5Group?) { self.root = root }

  /// Notes what the model says now, to tell later whether it was changed.
  mutating func note(_ model: KerasModel) {
    layout = model.layout
    configuration = model.configuration
    trainingConfiguration = model.trainingConfiguration
    optimizerPaths = model.optimizer?.variables.map(\.path) ?? []
  }

  /// Whether the model's optimizer has the variables of the file, whatever their values.
  func holdsOptimizer(of model: KerasModel) -> Bool {
    model.optimizer?.variables.map(\.path) ?? [] == optimizerPaths
  }

  /// Whether the configuration that trains the model is the file's.
  func holdsTraining(of model: KerasModel) -> Bool { model.trainingConfiguration == trainingConfiguration }
}

extension KerasModel {
  /// Whether the model's layers are those of the file it was read from.
  var isArchitectureUnchanged: Bool {
    preserved.map { $0.configuration == nil || $0.configuration == configuration } ?? false
  }

  /// The weights as they are to be written: those of the layers, and those that no layer took.
  var storedWeights: [KerasWeight] {
    let bound = root?.all.flatMap(\.weights.values) ?? []
    let paths = Set(bound.map(\.path))
    return bound + weights.filter { !paths.contains($0.path) }
  }

  /// The HDF5 tree of the file with the model's values in it; `nil` when the layout or the layers are others by now.
  func preservedTree(for layout: Layout) throws(FormatError) -> HDF5Tree? {
    guard let preserved, preserved.layout == layout, isArchitectureUnchanged, let root = preserved.root else {
      return nil
    }
    var tree = try HDF5Tree(preserving: root)
    for weight in storedWeights {
      guard case .success(let tensor) = weight.value else { continue }
      guard tree.replace(tensor, at: weight.path) else { return nil }
    }
    if preserved.holdsOptimizer(of: self) {
      for variable in optimizer?.variables ?? [] {
        guard case .success(let tensor) = variable.value else { continue }
        guard tree.replace(tensor, at: variable.path) else { return nil }
      }
    }
    return tree
  }

  /// Refuses to lay a file out anew when it holds weights that no layer took, since they would be lost.
  func checkEveryWeightHasALayer() throws(FormatError) {
    guard let root, isArchitectureUnchanged else { return }
    let bound = Set(root.all.flatMap(\.weights.values).map(\.path) + ownWeights.map(\.path) + repeatedPaths)
    // What tf.keras keeps of its metrics is no part of the model.
    if let lost = weights.first(where: { !bound.contains($0.path) && !$0.isOfMetric }) {
      throw FormatError(
        .unsupported,
        "the weight \"\(lost.name)\" is of no layer that is understood and has no place in another layout",
        file: path, at: lost.path)
    }
  }

  /// Where a tree of variables holds a layer's matrix a second time.
  var repeatedPaths: [String] {
    (root?.all ?? []).filter(\.repeatsInnerMatrix).compactMap(\.weightPlace).map { "\($0)/vars/0" }
  }

  /// The variables that belong to the model itself and to none of its layers.
  var ownWeights: [KerasWeight] {
    if let root, !root.sublayers.isEmpty, !root.weights.isEmpty { return Array(root.weights.values) }
    if let tree = weightTree { return tree.variables }
    return weightGroups.first { $0.name == "top_level_model_weights" }?.weights ?? []
  }
}
