import OrderedCollections

/// `Masking`: steps of which every feature is `mask_value` become zeros. The mask itself goes with the value, and layers
/// that would apply it are refused.
enum MaskingRule: LayerRule {
  static let classNames = ["Masking"]

  static func makesMask(_ configuration: LayerConfiguration) -> Bool { true }

  /// `where(any(x != mask_value), x, 0)`.
  private static let expression: OperatorExpression = {
    let differs = OperatorExpression.node("Cast", .node("Not", .node("Equal", .input, .constant("mask_value"))))
    let any = OperatorExpression.node("Greater", .node("ReduceMax", differs, .constant("axes")), .number(0))
    return .node("Where", any, .input, .number(0))
  }()

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let input = try call.input()
    let value = try call.configuration.float("mask_value", default: 0)
    let constants = [
      "mask_value": try lowering.scalar(value, "mask_value", like: input, in: call),
      "axes": lowering.integers([-1], "axes", in: call),
    ]
    return [try lowering.add(expression, of: input, constants: constants, in: call)]
  }
}

extension MaskingRule: RaisingRule {
  static let operators = expression.firstOperators

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard let match = raising.match(expression, with: node), let value = match.numbers("mask_value"), value.count == 1,
      let rank = raising.shape(match.input)?.rank, rank > 2,
      [[-1], [Double(rank - 1)]].contains(match.numbers("axes")),
      let input = raising.values[match.input], !input.isCollapsed
    else { return false }
    raising.absorb(match)
    raising.emit("Masking", ["mask_value": Raising.json(value)], inputs: [input], as: match.output, of: node)
    return true
  }
}
