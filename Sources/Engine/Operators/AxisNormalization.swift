import NNFormat

/// A value as [outer x length x inner] around one axis, or around all axes from one on.
struct AxisLayout: Sendable {
  let count: Int
  let outer: Int
  let length: Int
  let inner: Int

  /// - Parameter flattens: whether all axes from `axis` on count as one; `axis` may then be the rank.
  init(_ shape: [Int], axis: Int, flattens: Bool = false) throws(EngineError) {
    count = try Extents.count(shape)
    let rank = max(shape.count, 1)
    let first = flattens && axis == rank ? rank : try Extents.axis(axis, rank: rank)
    length = flattens ? shape.dropFirst(first).reduce(1, *) : shape.isEmpty ? 1 : shape[first]
    inner = flattens ? 1 : shape.dropFirst(first + 1).reduce(1, *)
    outer = length * inner == 0 ? 0 : count / (length * inner)
  }

  /// Calls `body` with the first element of every line along the axis; elements of a line lie `inner` apart.
  @inline(__always) func forEachLine(_ body: (Int) -> Void) {
    for block in 0..<outer {
      for column in 0..<inner { body(block * length * inner + column) }
    }
  }
}

/// 1 at the first of the largest elements along an axis and 0 elsewhere; NaN counts as largest.
struct HardmaxStep<T: RealScalar>: Step {
  let axis: Int
  let flattens: Bool

  var outputTypes: [ElementType] { [T.elementType] }
  var kernel: String { "hardmax" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let layout = try AxisLayout(shape, axis: axis, flattens: flattens)
    return Work([shape], inPlaceInputs: [0]) { (memory) throws(EngineError) in
      let source = memory.input(0, T.self, count: layout.count)
      let target = memory.output(0, T.self, count: layout.count)
      layout.forEachLine { start in
        var best = 0
        for index in 1..<max(layout.length, 1) {
          let (value, highest) = (source[start + index * layout.inner], source[start + best * layout.inner])
          if value > highest || (value.isNaN && !highest.isNaN) { best = index }
        }
        for index in 0..<layout.length { target[start + index * layout.inner] = index == best ? 1 : 0 }
      }
    }
  }
}

/// Elements divided by the norm of order 1 or 2 along an axis; lines of zeros stay.
struct LpNormalizationStep<T: RealScalar>: Step {
  let axis: Int
  let order: Int

  var outputTypes: [ElementType] { [T.elementType] }
  var kernel: String { "l\(order)Normalization" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let layout = try AxisLayout(shape, axis: axis)
    let isSquared = order == 2
    return Work([shape], inPlaceInputs: [0]) { (memory) throws(EngineError) in
      let source = memory.input(0, T.self, count: layout.count)
      let target = memory.output(0, T.self, count: layout.count)
      layout.forEachLine { start in
        var total = 0.0
        for index in 0..<layout.length {
          let value = Double(source[start + index * layout.inner])
          total += isSquared ? value * value : value.magnitude
        }
        let norm = isSquared ? total.squareRoot() : total
        for index in 0..<layout.length {
          let place = start + index * layout.inner
          target[place] = norm == 0 ? 0 : T(Double(source[place]) / norm)
        }
      }
    }
  }
}

/// (x - mean) / (deviation + 1e-9) with mean and population deviation over some axes.
struct MeanVarianceNormalizationStep<T: RealScalar>: Step {
  let axes: [Int]

  var outputTypes: [ElementType] { [T.elementType] }
  var kernel: String { "meanVarianceNormalization" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    let reduced = Set(try Extents.axes(axes, rank: shape.count))
    let strides = Extents.strides(shape)
    func nest(_ isIncluded: (Int) -> Bool) -> LoopNest {
      let axes = shape.indices.filter(isIncluded)
      return LoopNest(axes.map { shape[$0] }, strides: [axes.map { strides[$0] }])
    }
    let outer = nest { !reduced.contains($0) }
    let inner = nest { reduced.contains($0) }
    return Work([shape], inPlaceInputs: [0], cost: .elements(count, operations: 6)) { (memory) throws(EngineError) in
      guard count > 0 else { return }
      let source = memory.input(0, T.self, count: count)
      let target = memory.output(0, T.self, count: count)
      outer.forEachOffset { start in
        var (sum, squares) = (0.0, 0.0)
        inner.forEachOffset { sum += Double(source[start + $0]) }
        let mean = sum / Double(inner.rows * inner.rowLength)
        inner.forEachOffset { squares += (Double(source[start + $0]) - mean) * (Double(source[start + $0]) - mean) }
        let deviation = (squares / Double(inner.rows * inner.rowLength)).squareRoot() + 1e-9
        inner.forEachOffset { target[start + $0] = T((Double(source[start + $0]) - mean) / deviation) }
      }
    }
  }
}

extension LoopNest {
  /// Calls `body` with the offset of every element of the first operand, in order.
  @inline(__always) fileprivate func forEachOffset(_ body: (Int) -> Void) {
    for row in 0..<rows {
      let start = offset(of: row, in: 0)
      for index in 0..<rowLength { body(start + index * rowStrides[0]) }
    }
  }
}
