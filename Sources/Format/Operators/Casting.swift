/// Changes of element type.
extension OperatorSchema {
  static let casting: [OperatorSchema] = [
    unary("Cast", since: 1, [.text("to", required: true)], infer: InferenceRules.cast),
    unary("Cast", since: 6, [to], infer: InferenceRules.cast),
    unary("Cast", since: 19, [to, .int("saturate")], infer: InferenceRules.cast),
    unary("Cast", since: 24, [to, .int("saturate"), .text("round_mode")], infer: InferenceRules.cast),
    binary("CastLike", since: 15, infer: InferenceRules.castLike),
    binary("CastLike", since: 19, [.int("saturate")], infer: InferenceRules.castLike),
    binary("CastLike", since: 24, [.int("saturate"), .text("round_mode")], infer: InferenceRules.castLike),
    unary("BitCast", since: 26, [to], infer: InferenceRules.bitCast),
  ]

  private static let to = AttributeRule.int("to", required: true)
}

extension InferenceRules {
  static func bitCast(_ context: inout InferenceContext) throws(FormatError) {
    context.setOutput(try context.elementType(attribute: "to"), context.shape(0))
  }

  static func cast(_ context: inout InferenceContext) throws(FormatError) {
    var type = try context.elementType(attribute: "to")
    if case .string = context.node.attribute("to") {
      let name = context.node.text("to", default: "")
      type = ElementType(standardName: name)
      if type == nil { throw context.malformed("\(name) is not an element type") }
    }
    guard let type else { throw context.malformed("a cast to no element type") }
    context.setOutput(type, context.shape(0), contents: context.contents(castTo: type))
  }

  static func castLike(_ context: inout InferenceContext) {
    let type = context.elementType(1)
    context.setOutput(type, context.shape(0), contents: type.flatMap { context.contents(castTo: $0) })
  }
}

extension InferenceContext {
  /// The first input's elements as another type. A truth value of a number is whether it is 0.
  fileprivate func contents(castTo type: ElementType) -> [Dimension]? {
    guard let contents = input(0)?.contents else { return nil }
    guard type == .bool else { return contents }
    return contents.map { element in
      element.value.map { .known($0 == 0 ? 0 : 1) } ?? .unknown
    }
  }
}
