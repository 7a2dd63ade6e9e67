import NNFormat

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
  let plan: PadPlan

  var outputTypes: [ElementType] { [plan.type] }
  var contentInputs: [Int] { plan.contentInputs }
  var kernel: String { "pad" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let axes = try plan.axes(shape, inputs)
    let result = axes.map(\.extent)
    let (sourceCount, count) = (try Extents.count(shape), try Extents.count(result))
    if plan.mode != .constant, count > 0, let empty = axes.firstIndex(where: { $0.length == 0 }) {
      throw EngineError(.shapeMismatch, "axis \(empty) of \(Shape(shape)) has nothing to be padded with")
    }
    if case .input = plan.filler, try inputs.view(2).count != 1 {
      throw EngineError(.shapeMismatch, "the value to pad with is not one element")
    }
    let strides = Extents.strides(shape)
    let (mode, filler) = (plan.mode, plan.filler)
    return Work([result]) { (memory) throws(EngineError) in
      guard count > 0 else { return }
      let source = memory.input(0, Bits.self, count: sourceCount)
      let target = memory.output(0, Bits.self, count: count)
      let constant = PadStep.constant(filler, memory)
      let inner = axes.last ?? PadAxis()
      for row in 0..<count / inner.extent {
        let start = PadStep.start(of: row, axes, strides, mode)
        for column in 0..<inner.extent {
          let place = start.flatMap { start in inner.source(column, mode).map { start + $0 } }
          target[row * inner.extent + column] = place.map { source[$0] } ?? constant
        }
      }
    }
  }

  private static func constant(_ filler: PadPlan.Filler, _ memory: StepMemory) -> Bits {
    switch filler {
    case .zero: unsafe withUnsafeBytes(of: UInt128(0)) { zeros in unsafe zeros.loadUnaligned(as: Bits.self) }
    case .constant(let constant): unsafe constant.base.loadUnaligned(as: Bits.self)
    case .input: memory.input(2, Bits.self, count: 1)[0]
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
}
