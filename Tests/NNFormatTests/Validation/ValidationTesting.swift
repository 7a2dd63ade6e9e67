import NNFormat

/// Small graphs to break.
enum ValidationTesting {
  /// `y = Relu(Gemm(x, w, b))` with a batch of any size, four features in, three out.
  static func model(_ change: (inout Model) throws -> Void) rethrows -> Model {
    var graph = Graph(
      name: "g", inputs: [Value(name: "x", elementType: .float32, shape: [.symbolic("n"), 4])],
      outputs: [Value(name: "y", elementType: .float32, shape: [.symbolic("n"), 3])],
      nodes: [
        Node(name: "fc", "Gemm", inputs: ["x", "w", "b"], outputs: ["h"]),
        Node(name: "act", "Relu", inputs: ["h"], outputs: ["y"]),
      ])
    graph.initializers = [
      Initializer(name: "w", tensor: Tensor((0..<12).map { Float($0) / 8 }, shape: [4, 3])),
      Initializer(name: "b", tensor: Tensor([0.5, -1, 2] as [Float])),
    ]
    var model = Model(graph: graph, operatorSets: [OperatorSetImport(version: 21)], irVersion: 10)
    try change(&model)
    return model
  }

  /// The model as it is.
  static func model() -> Model { model { _ in } }

  /// Codes of errors, in order.
  static func errors(_ model: Model) -> [String] {
    ModelValidator.findings(in: model).filter { $0.severity == .error }.map(\.code)
  }
}

/// One way to change the model, and what comes of it: a finding's code, or the place of a difference.
struct Change: Sendable, CustomStringConvertible {
  let code: String
  let apply: @Sendable (inout Model) -> Void

  init(_ code: String, _ apply: @escaping @Sendable (inout Model) -> Void) {
    self.code = code
    self.apply = apply
  }

  var description: String { code }
}
