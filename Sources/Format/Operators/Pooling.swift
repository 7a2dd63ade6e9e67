/// Operators that look at a value through a moving window.
extension OperatorSchema {
  static let pooling: [OperatorSchema] = [
    pool("AveragePool", since: 1, []),
    pool("AveragePool", since: 7, [.int("count_include_pad")]),
    pool("AveragePool", since: 10, [.int("count_include_pad"), .int("ceil_mode")]),
    pool("AveragePool", since: 19, [.int("count_include_pad"), .int("ceil_mode"), .ints("dilations")]),
    pool("MaxPool", since: 1, []),
    pool("MaxPool", since: 8, outputs: 1...2, [.int("storage_order")]),
    pool("MaxPool", since: 10, outputs: 1...2, [.int("storage_order"), .int("ceil_mode"), .ints("dilations")]),
    OperatorSchema(
      "LpPool", since: 1, inputs: 1...1,
      attributes: [.text("auto_pad"), .ints("pads"), .ints("strides"), .ints("kernel_shape"), .float("p")],
      infer: InferenceRules.pool),
    pool("LpPool", since: 2, [.int("p")]),
    pool("LpPool", since: 18, [.int("p"), .int("ceil_mode"), .ints("dilations")]),
  ]

  private static func pool(
    _ name: String, since version: Int, outputs: ClosedRange<Int> = 1...1, _ attributes: [AttributeRule]
  ) -> OperatorSchema {
    OperatorSchema(
      name, since: version, inputs: 1...1, outputs: outputs,
      attributes: [.text("auto_pad"), .ints("pads"), .ints("strides"), .ints("kernel_shape", required: true)]
        + attributes, infer: InferenceRules.pool)
  }
}

extension InferenceRules {
  /// The first two axes stay; the others have as many places as the window takes.
  static func pool(_ context: inout InferenceContext) throws(FormatError) {
    let type = context.elementType(0)
    guard let shape = context.shape(0) else { return context.setOutput(type, nil) }
    guard shape.rank >= 3 else { throw context.mismatch("\(shape) has no axis to move a window along") }
    // An extent that is not known stands for none while the others are worked out.
    let extents = shape.dimensions.dropFirst(2).map { $0.value ?? 0 }
    guard let windows = PoolWindow.windows(context.node, extents: extents) else {
      throw context.malformed("its windows do not fit \(shape)")
    }
    let places = zip(windows, shape.dimensions.dropFirst(2)).map { window, extent in
      extent.value == nil ? Dimension.unknown : .known(window.result)
    }
    let result = Shape(Array(shape.dimensions.prefix(2)) + places)
    context.setOutput(type, result)
    context.setOutput(1, .int64, result)
  }
}
