import NNFormat

/// (x - mean) / sqrt(variance + epsilon) over rows, or x / sqrt(mean of squares + epsilon) where it is not centred.
struct RowNormalization: Sendable {
  let isCentred: Bool
  let epsilon: Float

  /// Normalises `rows` rows of `length` values each, then multiplies by `scale` and adds `offset`, a value a column.
  ///
  /// `source` and `target` are equal or disjoint. Means and inverse deviations are written where asked for.
  @unsafe func apply<T: RealScalar>(
    _ source: UnsafePointer<T>, _ target: UnsafeMutablePointer<T>, rows: Int, length: Int, scale: UnsafePointer<T>?,
    offset: UnsafePointer<T>?, means: UnsafeMutablePointer<Float>?, inverses: UnsafeMutablePointer<Float>?,
    pool: ThreadPool
  ) {
    if T.self == Float.self {
      unsafe RowFunctions.layerNorm(
        UnsafeRawPointer(source).assumingMemoryBound(to: Float.self),
        UnsafeMutableRawPointer(target).assumingMemoryBound(to: Float.self), rows: rows, columns: length,
        scale: scale.map { unsafe UnsafeRawPointer($0).assumingMemoryBound(to: Float.self) },
        offset: offset.map { unsafe UnsafeRawPointer($0).assumingMemoryBound(to: Float.self) }, isCentred: isCentred,
        epsilon: epsilon, means: means, inverses: inverses, pool: pool)
      return
    }
    for row in 0..<rows {
      let (x, y) = unsafe (source + row * length, target + row * length)
      var mean: T = 0
      if isCentred {
        for column in 0..<length { unsafe mean += x[column] }
        mean /= T(length)
      }
      var squares: T = 0
      for column in 0..<length { unsafe squares += (x[column] - mean) * (x[column] - mean) }
      let inverse = 1 / (squares / T(length) + T(epsilon)).squareRoot()
      for column in 0..<length {
        let value = unsafe (x[column] - mean) * inverse * (scale?[column] ?? 1)
        unsafe y[column] = value + (offset?[column] ?? 0)
      }
      unsafe means?[row] = Float(mean)
      unsafe inverses?[row] = Float(inverse)
    }
  }
}

/// How a value splits into rows, each over all axes from one on.
struct RowLayout {
  let shape: [Int]
  let rowShape: [Int]
  let rows: Int
  let length: Int

  init(_ shape: [Int], axis: Int) throws(EngineError) {
    self.shape = shape
    let count = try Extents.count(shape)
    rowShape = Array(shape.dropFirst(try Extents.axis(axis, rank: shape.count)))
    length = rowShape.reduce(1, *)
    rows = length == 0 ? 0 : count / length
  }

  /// The shape with every extent of a row 1.
  var statistics: [Int] { shape.dropLast(rowShape.count) + [Int](repeating: 1, count: rowShape.count) }

  /// Whether input `index` has one value for each place in a row; otherwise it has to broadcast to the whole shape.
  func isRow(_ inputs: StepInputs, _ index: Int) throws(EngineError) -> Bool {
    let parameter = try inputs.shape(index)
    if Array(parameter.drop { $0 == 1 }) == Array(rowShape.drop { $0 == 1 }), parameter.count <= shape.count {
      return true
    }
    guard parameter.count <= shape.count, try Extents.broadcast([parameter, shape]) == shape else {
      throw EngineError(
        .shapeMismatch, "input \(index) has shape \(Shape(parameter)), which does not broadcast to \(Shape(shape))")
    }
    return false
  }
}

/// Layer and root-mean-square normalisation over all axes from one on, with optional statistics as further outputs.
///
/// Inputs: values, scale, and offset where there is one, which broadcast to the values.
struct RowNormalizationStep<T: RealScalar>: Step {
  let normalization: RowNormalization
  let axis: Int
  /// Whether the second output is the mean and the third the inverse deviation; otherwise the second is the latter.
  var givesMean = true

  var outputTypes: [ElementType] { [T.elementType, .float32, .float32] }
  var kernel: String { normalization.isCentred ? "layerNormalization" : "rmsNormalization" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let layout = try RowLayout(inputs.shape(0), axis: axis)
    let hasOffset = inputs.has(2)
    let scaleIsRow = try layout.isRow(inputs, 1)
    let offsetIsRow = hasOffset ? try layout.isRow(inputs, 2) : true
    let isSimple = scaleIsRow && offsetIsRow
    let (normalization, rows, length) = (normalization, layout.rows, layout.length)
    let inverseOutput = givesMean ? 2 : 1
    let givesMean = givesMean
    let scaling = isSimple ? nil : try BroadcastParameters(inputs, shape: layout.shape)
    return Work(
      [layout.shape, layout.statistics, layout.statistics], inPlaceInputs: isSimple ? [0] : [],
      cost: .elements(rows * length, operations: 8)
    ) {
      (memory) throws(EngineError) in
      let target = unsafe memory.output(0).assumingMemoryBound(to: T.self)
      let means = unsafe givesMean ? memory.optionalOutput(1) : nil
      let inverses = unsafe memory.optionalOutput(inverseOutput)
      unsafe normalization.apply(
        memory.input(0).assumingMemoryBound(to: T.self), target, rows: rows, length: length,
        scale: isSimple ? memory.input(1).assumingMemoryBound(to: T.self) : nil,
        offset: isSimple && hasOffset ? memory.input(2).assumingMemoryBound(to: T.self) : nil,
        means: means?.assumingMemoryBound(to: Float.self), inverses: inverses?.assumingMemoryBound(to: Float.self),
        pool: memory.pool)
      unsafe scaling?.apply(target, memory)
    }
    .byRows(isSimple ? rowWork(layout, hasOffset: hasOffset) : nil)
  }

  private func rowWork(_ layout: RowLayout, hasOffset: Bool) -> RowWork? {
    guard T.self == Float.self else { return nil }
    let (normalization, givesMean, length) = (normalization, givesMean, layout.length)
    return RowWork(rows: layout.rows, estimate: RowFunctions.layerNormEstimate(layout.rows * length)) { memory, rows in
      let start = rows.lowerBound * length
      let means = unsafe givesMean ? memory.optionalOutput(1)?.assumingMemoryBound(to: Float.self) : nil
      let inverses = unsafe memory.optionalOutput(givesMean ? 2 : 1)?.assumingMemoryBound(to: Float.self)
      unsafe normalization.apply(
        memory.input(0).assumingMemoryBound(to: Float.self) + start,
        memory.output(0).assumingMemoryBound(to: Float.self) + start, rows: rows.count, length: length,
        scale: memory.input(1).assumingMemoryBound(to: Float.self),
        offset: hasOffset ? memory.input(2).assumingMemoryBound(to: Float.self) : nil,
        means: means.map { unsafe $0 + rows.lowerBound }, inverses: inverses.map { unsafe $0 + rows.lowerBound },
        pool: .single)
    }
  }
}

/// A scale, input 1, and an optional offset, input 2, that broadcast to the shape of what they are applied to.
private struct BroadcastParameters {
  private let nest: LoopNest
  private let hasOffset: Bool

  init(_ inputs: StepInputs, shape: [Int]) throws(EngineError) {
    hasOffset = inputs.has(2)
    let scale = try inputs.shape(1)
    let offset = hasOffset ? try inputs.shape(2) : scale
    nest = LoopNest(
      shape,
      strides: [
        Extents.strides(shape), Extents.strides(of: scale, in: shape), Extents.strides(of: offset, in: shape),
      ])
  }

  @unsafe func apply<T: RealScalar>(_ target: UnsafeMutablePointer<T>, _ memory: StepMemory) {
    let scale = unsafe memory.input(1).assumingMemoryBound(to: T.self)
    let offset = unsafe hasOffset ? memory.input(2).assumingMemoryBound(to: T.self) : nil
    for row in 0..<nest.rows {
      let (y, s, o) = (nest.offset(of: row, in: 0), nest.offset(of: row, in: 1), nest.offset(of: row, in: 2))
      for index in 0..<nest.rowLength {
        let place = y + index * nest.rowStrides[0]
        let scaled = unsafe target[place] * scale[s + index * nest.rowStrides[1]]
        unsafe target[place] = scaled + (offset?[o + index * nest.rowStrides[2]] ?? 0)
      }
    }
  }
}
