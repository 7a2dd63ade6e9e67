import NNFormat

/// Padding and cropping.
package enum PadOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Pad", sixteenBit: .native, make: pad)
  ]

  @Sendable private static func pad(_ context: NodeContext) throws(EngineError) -> any Step {
    let type = try context.type(0)
    let name = context.node.text("mode", default: "constant")
    guard let mode = PadAxis.Mode(rawValue: name) else { throw context.invalid("\"\(name)\" is no padding mode") }
    var pads: [Int]?
    var value: Constant?
    if context.version < 11 {
      pads = context.node.ints(context.version < 2 ? "paddings" : "pads") ?? []
      let stated = Tensor([context.float("value", default: 0)], shape: [])
      guard let converted = try? stated.converted(to: type) else { throw context.unsupported(type) }
      value = try Constant(converted).aligned()
    } else if context.has(2), try context.type(2) != type {
      throw EngineError(
        .shapeMismatch, "a value of type \(try context.type(2).name) for data of type \(type.name)",
        node: context.node.label)
    }
    return try ScalarTypes.bits(
      StridedCopy.width(type, context),
      PadMaker(type: type, mode: mode, pads: pads, value: value, hasAxes: context.has(3), hasValue: context.has(2)))
  }
}

private struct PadMaker: BitsVisitor {
  let type: ElementType
  let mode: PadAxis.Mode
  let pads: [Int]?
  let value: Constant?
  let hasAxes: Bool
  let hasValue: Bool

  func visit<Bits: BitwiseCopyable & Sendable>(_: Bits.Type) -> any Step {
    PadStep<Bits>(outputTypes: [type], mode: mode, pads: pads, value: value, hasAxes: hasAxes, hasValue: hasValue)
  }
}

/// How places along one axis of a padded value come from the places of the source.
struct PadAxis: Sendable {
  /// What stands where the source has nothing.
  enum Mode: String, Sendable { case constant, edge, reflect, wrap }

  /// The places of the source that stay: from where, and how many.
  let first: Int
  let length: Int
  /// Places put before them, and all there are then.
  let before: Int
  let extent: Int

  /// - Parameters:
  ///   - before, after: places to be added at the two ends; below zero they are taken away, before anything is added.
  /// - Throws: `EngineError` of kind `shapeMismatch` for an extent below zero or too large.
  init(_ source: Int, before: Int, after: Int) throws(EngineError) {
    let failure = EngineError(.shapeMismatch, "an axis of \(source) cannot be padded by \(before) and \(after)")
    guard before > -Int(Int32.max), after > -Int(Int32.max) else { throw failure }
    first = max(-before, 0)
    let end = source - max(-after, 0)
    let (rest, overflow) = end.subtractingReportingOverflow(first)
    guard !overflow else { throw failure }
    length = max(rest, 0)
    // Taking more from one end than is there takes from what the other end adds.
    let lack = min(rest, 0)
    let (partial, overflowBefore) = length.addingReportingOverflow(max(before, 0))
    let (sum, overflowAfter) = partial.addingReportingOverflow(max(after, 0))
    guard !overflowBefore, !overflowAfter, sum + lack >= 0 else { throw failure }
    self.before = max(before, 0)
    extent = sum + lack
  }

  /// The one place of a value without axes.
  init() { (first, length, before, extent) = (0, 1, 0, 1) }

  /// The place of the source for a place of the result; `nil` where the constant stands.
  func source(_ place: Int, _ mode: Mode) -> Int? {
    let place = place - before
    if place >= 0, place < length { return first + place }
    guard length > 0 else { return nil }
    switch mode {
    case .constant: return nil
    case .edge: return first + (place < 0 ? 0 : length - 1)
    case .wrap: return first + remainder(place, length)
    case .reflect:
      guard length > 1 else { return first }
      let period = 2 * (length - 1)
      let rest = remainder(place, period)
      return first + (rest < length ? rest : period - rest)
    }
  }

  private func remainder(_ value: Int, _ divisor: Int) -> Int {
    let rest = value % divisor
    return rest < 0 ? rest + divisor : rest
  }
}

/// A value with places added to, or taken from, the ends of its axes.
struct PadStep<Bits: BitwiseCopyable & Sendable>: Step {
  let outputTypes: [ElementType]
  let mode: PadAxis.Mode
  /// The padding of all axes, first of their fronts, then of their ends; `nil` when it is input 1.
  let pads: [Int]?
  /// The constant that is put in; `nil` when it is input 2, or zero.
  let value: Constant?
  /// Whether input 3 names the axes that input 1 is about.
  let hasAxes: Bool
  let hasValue: Bool

  var contentInputs: [Int] { pads != nil ? [] : hasAxes ? [1, 3] : [1] }
  var kernel: String { "pad" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let axes = try axes(inputs, shape)
    let result = axes.map(\.extent)
    let (sourceCount, count) = (try Extents.count(shape), try Extents.count(result))
    if mode != .constant, count > 0, let empty = axes.firstIndex(where: { $0.length == 0 }) {
      throw EngineError(.shapeMismatch, "axis \(empty) of \(Shape(shape)) has nothing to be padded with")
    }
    let values = pads == nil && hasValue ? try inputs.view(2).count : 1
    guard values == 1 else {
      throw EngineError(.shapeMismatch, "the value to pad with is not one element")
    }
    let strides = Extents.strides(shape)
    let (mode, value, hasValue) = (mode, value, hasValue && pads == nil)
    return Work([result]) { (memory) throws(EngineError) in
      guard count > 0 else { return }
      let source = memory.input(0, Bits.self, count: sourceCount)
      let target = memory.output(0, Bits.self, count: count)
      let filler =
        if hasValue { memory.input(2, Bits.self, count: 1)[0] } else if let value {
          unsafe value.base.loadUnaligned(as: Bits.self)
        } else { unsafe withUnsafeBytes(of: UInt128(0)) { zeros in unsafe zeros.loadUnaligned(as: Bits.self) } }
      let inner = axes.last ?? PadAxis()
      for row in 0..<count / inner.extent {
        let start = PadStep.start(of: row, axes, strides, mode)
        for column in 0..<inner.extent {
          let place = start.flatMap { start in inner.source(column, mode).map { start + $0 } }
          target[row * inner.extent + column] = place.map { source[$0] } ?? filler
        }
      }
    }
  }

  /// Where the source of a row starts; `nil` for a row of constants.
  private static func start(of row: Int, _ axes: [PadAxis], _ strides: [Int], _ mode: PadAxis.Mode) -> Int? {
    var (rest, offset) = (row, 0)
    for axis in axes.indices.dropLast().reversed() {
      let (quotient, place) = rest.quotientAndRemainder(dividingBy: axes[axis].extent)
      guard let from = axes[axis].source(place, mode) else { return nil }
      offset += from * strides[axis]
      rest = quotient
    }
    return offset
  }

  private func axes(_ inputs: StepInputs, _ shape: [Int]) throws(EngineError) -> [PadAxis] {
    let given = if let pads { pads } else { try inputs.ints(1) }
    let named = hasAxes && pads == nil ? try Extents.axes(inputs.ints(3), rank: shape.count) : Array(shape.indices)
    guard given.count == 2 * named.count else {
      throw EngineError(.shapeMismatch, "\(given.count) pads for \(named.count) axes, two for each are needed")
    }
    var result: [PadAxis] = []
    for (axis, extent) in shape.enumerated() {
      let position = named.firstIndex(of: axis)
      result.append(
        try PadAxis(
          extent, before: position.map { given[$0] } ?? 0, after: position.map { given[named.count + $0] } ?? 0))
    }
    return result
  }
}
