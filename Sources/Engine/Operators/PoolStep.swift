import NNFormat

/// All windows of a pool over the axes after the first two, (batch, channel, place...).
struct PoolPlan: Sendable {
  let windows: [PoolWindow]
  /// Elements of one channel of the source and of the result, and channels of all batches.
  let sourceCount: Int
  let resultCount: Int
  let channels: Int
  let resultShape: [Int]
  private let sourceStrides: [Int]
  private let resultStrides: [Int]

  init(_ node: Node, _ shape: [Int]) throws(EngineError) {
    let places = Array(shape.dropFirst(2))
    guard shape.count >= 3, let windows = PoolWindow.windows(node, extents: places) else {
      throw EngineError(.shapeMismatch, "its windows do not fit a value of shape \(Shape(shape))")
    }
    self.windows = windows
    resultShape = Array(shape.prefix(2)) + windows.map(\.result)
    _ = try Extents.count(resultShape)
    _ = try Extents.count(shape)
    sourceCount = Extents.product(places)
    resultCount = Extents.product(windows.map(\.result))
    channels = Extents.product(shape.prefix(2))
    sourceStrides = Extents.strides(places)
    resultStrides = Extents.strides(windows.map(\.result))
  }

  /// Calls `body` with the place in its channel of each element under a window, in order.
  @inline(__always) func forEach(under result: Int, _ body: (Int) -> Void) { visit(0, 0, result, body) }

  private func visit(_ axis: Int, _ offset: Int, _ result: Int, _ body: (Int) -> Void) {
    let window = windows[axis]
    let (first, count) = window.places(result / resultStrides[axis] % window.result)
    for step in 0..<count {
      let place = offset + (first + step * window.dilation) * sourceStrides[axis]
      if axis == windows.count - 1 { body(place) } else { visit(axis + 1, place, result, body) }
    }
  }

  /// How many places of a window are not beyond the padding.
  func paddedCount(_ result: Int) -> Int {
    windows.indices.reduce(1) { $0 * windows[$1].paddedCount(result / resultStrides[$1] % windows[$1].result) }
  }

  /// The number of a place when the first axis is the one that moves fastest.
  func columnMajor(_ place: Int) -> Int {
    var (factor, sum) = (1, 0)
    for axis in windows.indices {
      sum += place / sourceStrides[axis] % windows[axis].extent * factor
      factor *= windows[axis].extent
    }
    return sum
  }
}

/// The largest element under each window, and its place in the whole value.
struct MaxPoolStep<T: TensorScalar>: Step {
  let node: Node
  let isColumnMajor: Bool
  let lowest: T
  let exceeds: @Sendable (T, T) -> Bool

  var outputTypes: [ElementType] { [T.elementType, .int64] }
  var kernel: String { "maxPool" }

  init(node: Node, isColumnMajor: Bool, lowest: T, exceeds: @escaping @Sendable (T, T) -> Bool) {
    self.node = node
    self.isColumnMajor = isColumnMajor
    self.lowest = lowest
    self.exceeds = exceeds
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let plan = try PoolPlan(node, inputs.shape(0))
    let (isColumnMajor, lowest, exceeds) = (isColumnMajor, lowest, exceeds)
    return Work([plan.resultShape, plan.resultShape]) { (memory) throws(EngineError) in
      let source = memory.input(0, T.self, count: plan.channels * plan.sourceCount)
      let count = plan.channels * plan.resultCount
      let target = memory.output(0, T.self, count: count)
      let wantsPlaces = memory.hasOutput(1)
      for index in 0..<count {
        let channel = index / plan.resultCount
        var (best, position) = (lowest, 0)
        var isFirst = true
        plan.forEach(under: index % plan.resultCount) { place in
          let value = source[channel * plan.sourceCount + place]
          guard isFirst || exceeds(value, best) else { return }
          (best, position, isFirst) = (value, place, false)
        }
        target[index] = best
        if wantsPlaces {
          let place = isColumnMajor ? plan.columnMajor(position) : position
          memory.output(1, Int64.self, count: count)[index] = Int64(channel * plan.sourceCount + place)
        }
      }
    }
  }
}

/// The mean or the norm of the elements under each window.
struct PoolStep<T: RealScalar>: Step {
  let node: Node
  let kind: PoolKind

  var outputTypes: [ElementType] { [T.elementType] }
  var kernel: String { if case .mean = kind { "averagePool" } else { "normPool" } }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let plan = try PoolPlan(node, inputs.shape(0))
    let kind = kind
    return Work([plan.resultShape]) { (memory) throws(EngineError) in
      let source = memory.input(0, T.self, count: plan.channels * plan.sourceCount)
      let count = plan.channels * plan.resultCount
      let target = memory.output(0, T.self, count: count)
      for index in 0..<count {
        let (channel, place) = index.quotientAndRemainder(dividingBy: plan.resultCount)
        let start = channel * plan.sourceCount
        var (sum, number) = (0.0, 0)
        switch kind {
        case .mean(let includesPads):
          plan.forEach(under: place) {
            sum += Double(source[start + $0])
            number += 1
          }
          target[index] = T(sum / Double(includesPads ? plan.paddedCount(place) : number))
        case .norm(let power):
          plan.forEach(under: place) { sum += Double.pow(Double(source[start + $0]).magnitude, power) }
          target[index] = T(Double.pow(sum, 1 / power))
        }
      }
    }
  }
}
