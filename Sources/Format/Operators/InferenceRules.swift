/// The rules by which outputs follow from inputs, shared by the rows of the schema table.
enum InferenceRules {
  /// One output of the type and shape of the first input.
  static func sameAsInput(_ context: inout InferenceContext) {
    context.setOutput(context.elementType(0), context.shape(0))
  }

  /// The first input unchanged, with what is known of its elements.
  static func identity(_ context: inout InferenceContext) {
    if let input = context.input(0) { context.outputs[outputAt: 0] = input }
  }

  /// The first input's type and shape, for operators all of whose inputs are of one type.
  static func sameAsInputOfOneType(_ context: inout InferenceContext) throws(FormatError) {
    context.setOutput(try context.commonElementType(context.inputs.indices), context.shape(0))
  }

  /// The first input's shape with elements that say yes or no.
  static func truthOfInput(_ context: inout InferenceContext) {
    context.setOutput(.bool, context.shape(0))
  }

  /// The first input's type and shape along an axis that must exist.
  static func sameAlongAxis(default fallback: Int) -> InferenceRule {
    { context throws(FormatError) in
      if let shape = context.shape(0) {
        _ = try context.axis(context.node.int("axis", default: fallback), rank: shape.rank)
      }
      sameAsInput(&context)
    }
  }

  /// Inputs of one type and one shape, before operators broadcast.
  static func identicalInputs(_ context: inout InferenceContext) throws(FormatError) {
    var result: Shape?
    for index in context.inputs.indices {
      guard let shape = context.shape(index) else { continue }
      guard var merged = result else {
        result = shape
        continue
      }
      guard merged.rank == shape.rank else { throw context.mismatch("inputs have shapes \(merged) and \(shape)") }
      for axis in 0..<shape.rank {
        merged[axis] = try context.unified(merged[axis], shape[axis], "extents of axis \(axis)")
      }
      result = merged
    }
    context.setOutput(try context.commonElementType(context.inputs.indices), result)
  }

  /// Dropout: the input, and a mask of its shape.
  static func dropout(maskIsBool: Bool) -> InferenceRule {
    { context throws(FormatError) in
      sameAsInput(&context)
      context.setOutput(1, maskIsBool ? .bool : context.elementType(0), context.shape(0))
    }
  }
}

extension [InferredValue] {
  /// An element that is ignored when it is set and not there.
  subscript(outputAt index: Int) -> InferredValue {
    get { indices.contains(index) ? self[index] : InferredValue() }
    set { if indices.contains(index) { self[index] = newValue } }
  }
}

extension AttributeRule {
  static func float(_ name: String) -> AttributeRule { AttributeRule(name, .float) }
  static func int(_ name: String, required: Bool = false) -> AttributeRule {
    AttributeRule(name, .int, required: required)
  }
  static func ints(_ name: String, required: Bool = false) -> AttributeRule {
    AttributeRule(name, .ints, required: required)
  }
  static func text(_ name: String, required: Bool = false) -> AttributeRule {
    AttributeRule(name, .string, required: required)
  }

  /// A hint of the first operator sets about buffers to overwrite.
  static let consumedInputs = AttributeRule("consumed_inputs", .ints)
}

extension OperatorSchema {
  /// The upper bound of the inputs or outputs of variadic operators.
  static let unlimited = Int(Int32.max)

  /// An operator with one input.
  static func unary(
    _ name: String, since version: Int, _ attributes: [AttributeRule] = [],
    infer: @escaping InferenceRule = InferenceRules.sameAsInput
  ) -> OperatorSchema {
    OperatorSchema(name, since: version, inputs: 1...1, attributes: attributes, infer: infer)
  }

  /// An operator with two inputs.
  static func binary(
    _ name: String, since version: Int, _ attributes: [AttributeRule] = [],
    infer: @escaping InferenceRule = InferenceRules.broadcast
  ) -> OperatorSchema {
    OperatorSchema(name, since: version, inputs: 2...2, attributes: attributes, infer: infer)
  }

  /// An operator with one or more inputs.
  static func variadic(
    _ name: String, since version: Int, _ attributes: [AttributeRule] = [],
    infer: @escaping InferenceRule = InferenceRules.broadcast
  ) -> OperatorSchema {
    OperatorSchema(name, since: version, inputs: 1...unlimited, attributes: attributes, infer: infer)
  }
}
