import NNFormat

/// Padding and cropping.
package enum PadOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Pad", sixteenBit: .native, make: pad),
    OperatorImplementation("CenterCropPad", since: 18, sixteenBit: .native, make: centerCropPad),
  ]

  @Sendable private static func pad(_ context: NodeContext) throws(EngineError) -> any Step {
    let type = try context.type(0)
    let name = context.node.text("mode", default: "constant")
    guard let mode = PadAxis.Mode(rawValue: name) else { throw context.invalid("\"\(name)\" is no padding mode") }
    let attribute = context.node.ints(context.version < 2 ? "paddings" : "pads") ?? []
    let (usesInput, hasAxes) = (context.version >= 11, context.has(3))
    let plan = PadPlan(
      type: type, mode: mode, filler: try filler(context, type), contentInputs: usesInput ? hasAxes ? [1, 3] : [1] : []
    ) { (shape, inputs) throws(EngineError) in
      let given = usesInput ? try inputs.ints(1) : attribute
      let named = hasAxes ? try Extents.axes(inputs.ints(3), rank: shape.count) : Array(shape.indices)
      guard given.count == 2 * named.count else {
        throw EngineError(.shapeMismatch, "\(given.count) pads for \(named.count) axes, two for each are needed")
      }
      return try PadPlan.axes(shape, named) { (position, extent) throws(EngineError) in
        try PadAxis(extent, before: given[position], after: given[named.count + position])
      }
    }
    return try ScalarTypes.bits(StridedCopy.width(type, context), PadMaker(plan: plan))
  }

  /// The constant of older versions is an attribute, later an input.
  private static func filler(_ context: NodeContext, _ type: ElementType) throws(EngineError) -> PadPlan.Filler {
    if context.version < 11 {
      let stated = Tensor([context.float("value", default: 0)], shape: [])
      guard let converted = try? stated.converted(to: type) else { throw context.unsupported(type) }
      return .constant(try Constant(converted).aligned())
    }
    guard context.has(2) else { return .zero }
    guard try context.type(2) == type else {
      throw EngineError(
        .shapeMismatch, "a value of type \(try context.type(2).name) for data of type \(type.name)",
        node: context.node.label)
    }
    return .input
  }

  /// Axes are cut or filled up with zeros at both ends; of an odd number the greater part is at the end.
  @Sendable private static func centerCropPad(_ context: NodeContext) throws(EngineError) -> any Step {
    let type = try context.type(0)
    let stated = context.node.ints("axes")
    let plan = PadPlan(type: type, mode: .constant, filler: .zero, contentInputs: [1]) {
      (shape, inputs) throws(EngineError) in
      let wanted = try inputs.ints(1)
      let named = if let stated { try Extents.axes(stated, rank: shape.count) } else { Array(shape.indices) }
      guard wanted.count == named.count, wanted.allSatisfy({ $0 >= 0 }) else {
        throw EngineError(.shapeMismatch, "\(wanted) are no extents of \(named.count) axes")
      }
      return try PadPlan.axes(shape, named) { (position, extent) throws(EngineError) in
        let more = wanted[position] - extent
        return try PadAxis(extent, before: more / 2, after: more - more / 2)
      }
    }
    return try ScalarTypes.bits(StridedCopy.width(type, context), PadMaker(plan: plan))
  }
}

private struct PadMaker: BitsVisitor {
  let plan: PadPlan
  func visit<Bits: BitwiseCopyable & Sendable>(_: Bits.Type) -> any Step { PadStep<Bits>(plan: plan) }
}

/// What a step that pads does, whatever the width of its elements.
struct PadPlan: Sendable {
  /// Where the constant comes from that is put in.
  enum Filler: Sendable {
    case zero
    case constant(Constant)
    /// Input 2.
    case input
  }

  typealias Axes = @Sendable ([Int], StepInputs) throws(EngineError) -> [PadAxis]

  let type: ElementType
  let mode: PadAxis.Mode
  let filler: Filler
  let contentInputs: [Int]
  /// The axes of the result for the shape of input 0.
  let axes: Axes

  init(type: ElementType, mode: PadAxis.Mode, filler: Filler, contentInputs: [Int], axes: @escaping Axes) {
    self.type = type
    self.mode = mode
    self.filler = filler
    self.contentInputs = contentInputs
    self.axes = axes
  }

  /// All axes of a shape: those named as `make` says, which gets their position among the named ones; the others as
  /// they are.
  static func axes(
    _ shape: [Int], _ named: [Int], _ make: (Int, Int) throws(EngineError) -> PadAxis
  ) throws(EngineError) -> [PadAxis] {
    var result: [PadAxis] = []
    for (axis, extent) in shape.enumerated() {
      if let position = named.firstIndex(of: axis) {
        result.append(try make(position, extent))
      } else {
        result.append(try PadAxis(extent, before: 0, after: 0))
      }
    }
    return result
  }
}
