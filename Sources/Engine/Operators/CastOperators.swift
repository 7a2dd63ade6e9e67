import NNFormat

/// Conversion between element types.
package enum CastOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Cast", sixteenBit: .native) { context throws(EngineError) in
      try step(from: context.type(0), to: target(context), context)
    },
    OperatorImplementation("CastLike", since: 15, sixteenBit: .native) { context throws(EngineError) in
      try step(from: context.type(0), to: context.type(1), context)
    },
  ]

  /// The type that a cast names: by number, or by its name in the first version.
  private static func target(_ context: NodeContext) throws(EngineError) -> ElementType {
    if case .string(let name) = context.node.attribute("to") {
      if let type = ElementType(standardName: String(decoding: name, as: UTF8.self)) { return type }
    } else if let type = ElementType(rawValue: Int32(truncatingIfNeeded: context.int("to", default: 0))) {
      return type
    }
    throw context.invalid("the attribute \"to\" is no element type")
  }

  private static func step(
    from source: ElementType, to target: ElementType, _ context: NodeContext
  ) throws(EngineError) -> any Step {
    let name = context.node.text("round_mode", default: "up")
    guard let rounding = ScaleExponent.Rounding(rawValue: name) else {
      throw context.invalid("the round_mode \"\(name)\" is none of up, down and nearest")
    }
    let options = CastStep.Options(saturates: context.int("saturate", default: 1) != 0, rounding: rounding)
    guard let step = CastStep.make(from: source, to: target, options) else {
      throw EngineError(
        .unsupported, "a cast from \(source.name) to \(target.name) is not supported", node: context.node.label)
    }
    return step
  }
}
