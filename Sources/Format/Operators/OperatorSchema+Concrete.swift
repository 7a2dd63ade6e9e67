/// A tensor at run time as shape rules see it.
public struct ConcreteValue: Sendable, Hashable {
  /// The type of the elements.
  public var elementType: ElementType
  /// Extents, outermost first.
  public var shape: [Int]
  /// The elements of a small integer tensor that describes a shape, such as the second input of Reshape.
  public var contents: [Int]?

  /// A tensor of the given type and shape.
  public init(_ elementType: ElementType, _ shape: [Int], contents: [Int]? = nil) {
    self.elementType = elementType
    self.shape = shape
    self.contents = contents
  }
}

extension OperatorSchema {
  /// Derives the outputs of one node from inputs, with the limits that every value must keep.
  ///
  /// - Precondition: `node` has passed `check`.
  public func outputs(
    of node: Node, version: Int, inputs: [InferredValue?]
  ) throws(FormatError) -> [InferredValue] {
    var context = InferenceContext(node: node, version: version, inputs: inputs)
    try infer(&context)
    for output in context.outputs {
      guard let shape = output.shape else { continue }
      guard shape.rank <= maximumRank else {
        throw FormatError(
          .limit, "an output of rank \(shape.rank) passes the limit of \(maximumRank)", at: "node \(node.label)")
      }
      guard Dimension.product(shape.dimensions) != nil else {
        throw FormatError(.limit, "an output of shape \(shape) is too large", at: "node \(node.label)")
      }
    }
    return context.outputs
  }

  /// Derives the outputs of one node from inputs whose shapes are all known, as they are when a network runs.
  ///
  /// - Parameters:
  ///   - version: The version of the operator set that the model imports.
  ///   - inputs: `nil` for omitted inputs. Contents are needed of those that shapes depend on.
  /// - Returns: One entry for each output of the node; `nil` where type or shape depends on data not given.
  /// - Precondition: `node` has passed `check`.
  public func inferConcrete(
    _ node: Node, version: Int, inputs: [ConcreteValue?]
  ) throws(FormatError) -> [ConcreteValue?] {
    let known = inputs.map { input in
      input.map {
        InferredValue(
          elementType: $0.elementType, shape: Shape($0.shape), contents: $0.contents?.map(Dimension.known))
      }
    }
    return try outputs(of: node, version: version, inputs: known).map { output in
      guard let elementType = output.elementType, let shape = output.shape?.extents else { return nil }
      let contents = output.contents?.compactMap(\.value)
      return ConcreteValue(elementType, shape, contents: contents?.count == output.contents?.count ? contents : nil)
    }
  }
}
