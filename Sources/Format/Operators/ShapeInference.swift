import OrderedCollections

/// Types and shapes of all values of a graph, derived node by node from the inputs and initializers.
public struct ShapeInference: Sendable {
  /// What is known of each value, by name.
  public private(set) var values: [String: InferredValue] = [:]
  let operatorSets: [OperatorSetImport]

  public init(operatorSets: [OperatorSetImport]) { self.operatorSets = operatorSets }
}
