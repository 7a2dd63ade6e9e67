import NNFormat

/// One row of the engine's operator table: from which version of its operator set on, and how a step is made.
package struct OperatorImplementation: Sendable {
  /// Makes the step of a node.
  ///
  /// - Throws: `EngineError` of kind `unsupported` for element types and attributes that have no step,
  ///   `invalidGraph` for attributes that make no sense.
  package typealias Maker = @Sendable (NodeContext) throws(EngineError) -> any Step

  /// What becomes of 16-bit floats.
  package enum SixteenBit: Sendable {
    /// The step takes them as they are.
    case native
    /// They are widened to float32, and float32 results rounded back.
    case widened
  }

  package let name: String
  /// Empty for the standard operator set.
  package let domain: String
  /// The first version for which this row holds.
  package let sinceVersion: Int
  package let sixteenBit: SixteenBit
  package let make: Maker

  package init(
    _ name: String, domain: String = "", since sinceVersion: Int = 1, sixteenBit: SixteenBit = .widened,
    make: @escaping Maker
  ) {
    self.name = name
    self.domain = domain
    self.sinceVersion = sinceVersion
    self.sixteenBit = sixteenBit
    self.make = make
  }
}

/// A node whose step is being made: attributes, element types, and the inputs that are constant.
package struct NodeContext: Sendable {
  package let node: Node
  package let version: Int
  /// One entry for each input of the node; `nil` for omitted ones.
  package let inputTypes: [ElementType?]
  /// The inputs that are constant, aligned or not.
  package let constants: [Constant?]

  package init(node: Node, version: Int, inputTypes: [ElementType?], constants: [Constant?]) {
    self.node = node
    self.version = version
    self.inputTypes = inputTypes
    self.constants = constants
  }

  package func has(_ index: Int) -> Bool { index < inputTypes.count && inputTypes[index] != nil }

  /// The element type of an input that must be there.
  package func type(_ index: Int) throws(EngineError) -> ElementType {
    guard index < inputTypes.count, let type = inputTypes[index] else {
      throw EngineError(.invalidGraph, "input \(index) is missing", node: node.label)
    }
    return type
  }

  /// The element type that all the given inputs share; omitted ones do not count.
  package func commonType(_ range: Range<Int>? = nil) throws(EngineError) -> ElementType {
    let first = try type(range?.lowerBound ?? 0)
    for index in range ?? 0..<inputTypes.count {
      guard index < inputTypes.count, let other = inputTypes[index], other != first else { continue }
      throw EngineError(
        .shapeMismatch, "its inputs are of different types, \(first.name) and \(other.name)", node: node.label)
    }
    return first
  }

  package func constant(_ index: Int) -> Constant? { index < constants.count ? constants[index] : nil }

  /// The refusal of an element type.
  package func unsupported(_ type: ElementType) -> EngineError {
    EngineError(.unsupported, "element type \(type.name) is not supported by this operator", node: node.label)
  }

  package func invalid(_ message: String) -> EngineError { EngineError(.invalidGraph, message, node: node.label) }

  /// An integer attribute that must fit into a machine word.
  package func int(_ name: String, default fallback: Int) -> Int { node.int(name, default: fallback) }
  package func float(_ name: String, default fallback: Float) -> Float { node.float(name, default: fallback) }
}
