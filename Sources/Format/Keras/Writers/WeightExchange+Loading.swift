import OrderedCollections

extension WeightExchange {
  /// A file of weights with the layers of another file.
  ///
  /// - Parameter allowsPartial: whether weights that are missing, or of another shape, may stay as the file of the layers
  ///   has them.
  /// - Returns: the model, and what became of each weight.
  /// - Throws: `FormatError` of kind `missing` or `mismatch` that lists the weights which keep the model from being whole.
  public static func load(
    _ weights: KerasModel, into architecture: KerasModel, allowsPartial: Bool = false
  ) throws(FormatError) -> (model: KerasModel, report: Report) {
    var model = try weights.adopting(architecture: architecture)
    var loading = Loading(allowsPartial: allowsPartial)
    guard var root = model.root, let own = architecture.root else { return (model, Report()) }
    try loading.visit(&root, own, inside: "", isTop: true)
    let bound = Set(root.all.flatMap(\.weights.values).map(\.path) + model.ownWeights.map(\.path))
    loading.report.unused = model.weights.filter { !bound.contains($0.path) && !$0.isOfMetric }.map(\.path)
    try loading.check(weights, architecture)
    if loading.hasChanged {
      model.root = root
      model = try KerasModel(tensors: tensors(of: model).elements, path: weights.path, layout: .safetensors)
        .adopting(architecture: architecture)
    }
    try checkShapes(of: model)
    if model.optimizer == nil { loading.report.optimizerVariableCount = architecture.optimizer?.variables.count ?? 0 }
    return (model, loading.report)
  }

  /// Lowering knows the shape of every weight that a layer needs.
  private static func checkShapes(of model: KerasModel) throws(FormatError) {
    guard let problems = try? model.lowering(isTolerant: true).lowering.problems else { return }
    if let problem = problems.first(where: { $0.kind == .mismatch }) { throw problem.inFile(model.path) }
  }

  /// The comparison of a model's layers with those of the file that describes them.
  private struct Loading {
    let allowsPartial: Bool
    var report = Report()
    /// Whether weights were taken from the file of the layers, or changed their type.
    var hasChanged = false

    init(allowsPartial: Bool) { self.allowsPartial = allowsPartial }

    mutating func visit(
      _ layer: inout KerasLayer, _ own: KerasLayer, inside scope: String, isTop: Bool = false
    ) throws(FormatError) {
      let prefix = isTop && !layer.sublayers.isEmpty ? "" : "\(scope)\(layer.name)/"
      for name in OrderedSet((layer.variableRules ?? []).map(\.name)).union(own.weights.keys).union(layer.weights.keys)
      {
        layer.weights[name] = try weight(layer.weights[name], own.weights[name], "\(prefix)\(name)")
      }
      for index in layer.sublayers.indices where own.sublayers.indices.contains(index) {
        try visit(&layer.sublayers[index], own.sublayers[index], inside: prefix)
      }
    }

    /// The weight to use of one that was given and the one that the file of the layers holds.
    private mutating func weight(
      _ given: KerasWeight?, _ own: KerasWeight?, _ name: String
    ) throws(FormatError) -> KerasWeight? {
      guard var weight = given else {
        report.missing.append(name)
        if allowsPartial, own != nil { hasChanged = true }
        return allowsPartial ? own : nil
      }
      let tensor = try weight.tensor()
      guard let shape = own?.shape, shape != tensor.shape else {
        if let type = own?.elementType, type != tensor.elementType, type.isFloatingPoint,
          tensor.elementType.isFloatingPoint
        {
          weight.value = .success(try tensor.converted(to: type))
          hasChanged = true
        }
        report.loaded.append(name)
        return weight
      }
      report.mismatched.append("\(name): \(Shape(tensor.shape)) instead of \(Shape(shape))")
      if allowsPartial { hasChanged = true }
      return allowsPartial ? own : weight
    }

    func check(_ weights: KerasModel, _ architecture: KerasModel) throws(FormatError) {
      func fail(_ kind: FormatError.Kind, _ what: String, _ names: [String], _ advice: String? = nil) -> FormatError {
        let list = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", ..." : "")
        return FormatError(kind, "\(what): \(list)", file: weights.path, advice: advice)
      }
      let advice = "With --partial they stay as \(architecture.path) has them"
      let total = report.loaded.count + report.missing.count + report.mismatched.count
      if report.loaded.isEmpty, total > 0 {
        throw fail(
          .missing, "none of its weights has the name and shape of one of \(architecture.path), which calls for",
          report.missing + report.mismatched)
      }
      let isHeld = architecture.layout != .configuration
      if !report.missing.isEmpty, !(allowsPartial && isHeld) {
        throw fail(
          .missing, "lacks \(report.missing.count) of \(total) weights", report.missing, isHeld ? advice : nil)
      }
      if !report.mismatched.isEmpty, !allowsPartial {
        throw fail(.mismatch, "has weights of another shape", report.mismatched, advice)
      }
    }
  }
}
