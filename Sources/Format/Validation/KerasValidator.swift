/// Checks Keras models: configuration, connections, weights.
enum KerasValidator {
  /// Everything to say about a Keras file: what reading it found, layers that do not fit together, damaged weights.
  static func findings(in model: KerasModel, readingWeights: Bool) -> [Finding] {
    var findings = model.findings
    if let root = model.root {
      checkNames(of: root, generation: model.generation, &findings)
      checkConnections(of: root, &findings)
      checkLowering(of: model, root, &findings)
    } else {
      findings.append(Finding(.note, "weights-only", "the file holds weights without layers", at: model.path))
    }
    for variable in model.optimizer?.variables ?? [] {
      if case .failure(let error) = variable.value {
        findings.append(Finding(error, code: "unreadable-optimizer-state", at: variable.path))
      }
    }
    if readingWeights {
      for weight in model.weights { checkElements(of: weight, &findings) }
      findings += (model.archive?.damage() ?? []).map { Finding($0, code: "damaged-member", at: model.path) }
    }
    return findings
  }

  /// Names of layers are unique inside a model; in chains the first versions of Keras gave all layers of
  /// a class one name.
  private static func checkNames(of layer: KerasLayer, generation: Int, _ findings: inout [Finding]) {
    var seen: Set<String> = []
    for sublayer in layer.sublayers {
      let name = sublayer.configuration["name"]?.string ?? sublayer.name
      if !seen.insert(name).inserted {
        let severity: Finding.Severity = layer.isFunctional || generation == 3 ? .error : .note
        findings.append(Finding(severity, "duplicate-layer-name", "two layers are called \"\(name)\"", at: layer.name))
      }
      checkNames(of: sublayer, generation: generation, &findings)
    }
  }

  private static func checkConnections(of layer: KerasLayer, _ findings: inout [Finding]) {
    if layer.isFunctional {
      let names = Set(layer.sublayers.map(\.name))
      for sublayer in layer.sublayers {
        for reference in sublayer.calls.flatMap(\.tensors) where !names.contains(reference.layer) {
          findings.append(
            Finding(
              .error, "unknown-layer", "it is called on \"\(reference.layer)\", which is no layer of the model",
              at: sublayer.name))
        }
        if sublayer.calls.isEmpty, sublayer.className != "InputLayer" {
          findings.append(Finding(.warning, "unconnected-layer", "nothing calls it", at: sublayer.name))
        }
      }
    }
    for sublayer in layer.sublayers { checkConnections(of: sublayer, &findings) }
  }

  /// Lowers the model as far as that goes; what stops a layer is a finding.
  private static func checkLowering(of model: KerasModel, _ root: KerasLayer, _ findings: inout [Finding]) {
    guard model.layout != .configuration else { return }
    do throws(FormatError) {
      let (graph, lowering) = try model.lowering(isTolerant: true)
      var known = KnownProblems(findings)
      for problem in lowering.problems where known.insert(problem) { add(problem, root, &findings) }
      guard lowering.problems.isEmpty else { return }
      findings += ModelValidator.findings(in: graph).filter { $0.severity == .error }
    } catch {
      var known = KnownProblems(findings)
      if known.insert(error) { add(error, root, &findings) }
    }
  }

  private static func add(_ problem: FormatError, _ root: KerasLayer, _ findings: inout [Finding]) {
    let place = problem.place ?? root.name
    switch problem.kind {
    case .unsupported, .refused: findings.append(Finding(.warning, "not-runnable", problem.message, at: place))
    default: findings.append(Finding(.error, "invalid-layer", problem.message, at: place))
    }
  }

  private static func checkElements(of weight: KerasWeight, _ findings: inout [Finding]) {
    guard case .success(let tensor) = weight.value, tensor.elementType.isFloatingPoint else { return }
    do throws(FormatError) {
      let statistics = try TensorStatistics(tensor)
      for (code, count, what) in [
        ("nan-weights", statistics.nan, "NaN"), ("infinite-weights", statistics.infinite, "infinite"),
      ] where count > 0 {
        findings.append(Finding(.warning, code, "\(count) of \(tensor.count) elements are \(what)", at: weight.path))
      }
    } catch {
      guard error.kind != .unsupported else { return }
      findings.append(Finding(error, code: "unreadable-weight", at: weight.path))
    }
  }
}
