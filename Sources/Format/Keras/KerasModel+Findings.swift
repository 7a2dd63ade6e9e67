extension KerasModel {
  /// Notes what the user of the file should know of its layers and weights.
  mutating func noteFindings() {
    for layer in root?.sublayers.flatMap(\.all) ?? [] { note(layer) }
    var configured = ConfigurationFindings()
    if let configuration { configured.visit(configuration, place: root?.name ?? path) }
    if let trainingConfiguration { configured.visit(trainingConfiguration, place: root?.name ?? path) }
    findings += configured.findings
    let places = Set(findings.map(\.place))
    for weight in weights where !places.contains(weight.path) {
      if case .failure(let error) = weight.value { findings.append(error.finding(at: weight.path)) }
    }
    if let root, !root.isModel {
      findings.append(
        Finding(
          .warning, "subclassed-model",
          "the model is of class \"\(root.className)\": its Python code is not in the file",
          at: root.name))
    }
  }

  private mutating func note(_ layer: KerasLayer) {
    if layer.className != "Lambda", layer.variableRules == nil, !layer.isOperation {
      let isForeign = layer.className.contains(">") || layer.module.map { !$0.hasPrefix("keras") } ?? false
      findings.append(
        isForeign
          ? Finding(.warning, "custom-layer", "class \"\(layer.className)\" is not one of Keras's own", at: layer.name)
          : Finding(
            .warning, "unsupported-layer", "layers of class \"\(layer.className)\" can be shown, not run",
            at: layer.name))
    }
    guard layout != .configuration, let rules = layer.variableRules else { return }
    let missing = rules.filter { layer.weights[$0.name] == nil }.map(\.name)
    if !missing.isEmpty {
      findings.append(
        Finding(.error, "missing-weights", "no \(missing.joined(separator: ", ")) in the file", at: layer.name))
    }
  }
}

extension FormatError {
  /// What the error says of a weight.
  fileprivate func finding(at path: String) -> Finding {
    let code =
      switch kind {
      case .refused where message.hasPrefix("the weight is a link"): "refused-link"
      case .refused where message.hasSuffix("in another file"): "external-storage"
      case .refused: "virtual-dataset"
      case .limit: "over-limit"
      default: "unreadable-weight"
      }
    return Finding(self, code: code, at: path)
  }
}
