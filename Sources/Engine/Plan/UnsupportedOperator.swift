import NNFormat

/// An operator that has no row in the engine's table, and what comes nearest to it.
package struct UnsupportedOperator {
  private let node: Node
  private let version: Int

  package init(_ node: Node, version: Int) {
    self.node = node
    self.version = version
  }

  /// The refusal of an `If` whose condition follows from the network's inputs.
  package static let computedCondition = EngineError(
    .unsupported, "its condition is computed from the network's inputs; an If runs only when its condition is constant")

  /// The operators of a model that do not run, wherever they stand: in its graph, a function or a branch; each once.
  package static func names(in model: Model) -> [String] {
    var names: [String] = []
    func add(_ nodes: [Node], _ scope: NameScope) {
      for node in nodes {
        for (_, graph) in node.subgraphs { add(graph.nodes, scope) }
        let version = scope.version(of: node.domain) ?? 0
        guard scope.functions.function(calledBy: node) == nil, node.operatorType != "If",
          OperatorTable.row(node.operatorType, domain: node.domain, version: version) == nil
        else { continue }
        let name = node.domain.isEmpty ? node.operatorType : "\(node.domain).\(node.operatorType)"
        if !names.contains(name) { names.append(name) }
      }
    }
    let scope = NameScope(model)
    add(model.graph.nodes, scope)
    for function in model.functions { add(function.nodes, scope.inside(function)) }
    return names
  }

  /// The refusal, without the node.
  package var error: EngineError {
    if UnsupportedOperator.controlFlow.contains(node.operatorType), isStandard {
      return EngineError(
        .unsupported,
        "the control flow operator \(node.operatorType) is not supported; of control flow, "
          + "an If with a constant condition runs")
    }
    let domain = isStandard ? "" : " of \(node.domain)"
    let message = "the operator \(node.operatorType)\(domain) is not supported"
    return EngineError(.unsupported, message + (alternative.map { "; \($0)" } ?? ""))
  }

  private var isStandard: Bool { node.domain.isEmpty || node.domain == "ai.onnx" }

  private static let controlFlow: Set<String> = ["If", "Loop", "Scan", "SequenceMap"]

  /// Standard operators that compute what other operators do.
  private static let equivalents: [String: [String]] = [
    "FusedGemm": ["Gemm"], "QuickGelu": ["Swish"], "BiasSoftmax": ["Add", "Softmax"], "BiasDropout": ["Add"],
    "BiasAdd": ["Add"], "Affine": ["Mul", "Add"], "ImageScaler": ["Mul", "Add"], "ParametricSoftplus": ["Softplus"],
    "Scale": ["Mul"], "ScaledTanh": ["Tanh", "Mul"], "Scatter": ["ScatterElements"],
    "TransposeMatMul": ["Transpose", "MatMul"], "SkipGroupNorm": ["Add", "GroupNormalization"],
    "GroupNorm": ["GroupNormalization"], "Attention": ["MatMul", "Softmax"],
    "MultiHeadAttention": ["MatMul", "Softmax"],
  ]

  /// What runs instead, as a clause; `nil` when nothing is near.
  package var alternative: String? {
    let rows = OperatorTable.all
    let own = rows.filter { $0.name == node.operatorType && $0.isStandard == isStandard }
    let sameDomain = own.filter { isStandard || $0.domain == node.domain }
    if let first = sameDomain.map(\.sinceVersion).min(), first > version {
      return "it runs from version \(first) of its operator set on, the model imports \(version)"
    }
    if let row = rows.first(where: { $0.name == node.operatorType }) {
      return "\(row.isStandard ? "the standard operator \(row.name)" : "\(row.name) of \(row.domain)") runs"
    }
    let names = Set(rows.filter { $0.isStandard || $0.domain == node.domain }.map(\.name)).sorted()
    if let equivalents = UnsupportedOperator.equivalents[node.operatorType], equivalents.allSatisfy(names.contains) {
      return "\(equivalents.joined(separator: " and ")) can take its place"
    }
    let limit = max(node.operatorType.count / 4, 1)
    let nearest = names.map { ($0, EditDistance.between(node.operatorType, $0)) }.min { $0.1 < $1.1 }
    guard let nearest, nearest.1 <= limit else { return nil }
    return "the nearest operator that runs is \(nearest.0)"
  }
}

extension OperatorImplementation {
  fileprivate var isStandard: Bool { domain.isEmpty }
}

/// How many letters differ between two words, as Levenshtein counts; case does not.
enum EditDistance {
  static func between(_ first: String, _ second: String) -> Int {
    let (left, right) = (Array(first.lowercased().utf8), Array(second.lowercased().utf8))
    var row = Array(0...right.count)
    for (i, letter) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, other) in right.enumerated() {
        let replaced = diagonal + (letter == other ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[right.count]
  }
}
