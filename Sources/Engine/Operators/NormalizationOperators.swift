import NNFormat

/// Batch and layer normalisation in their inference forms.
package enum NormalizationOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("BatchNormalization", since: 7, make: batch),
    OperatorImplementation("LayerNormalization", since: 17, make: layer),
  ]

  @Sendable private static func batch(_ context: NodeContext) throws(EngineError) -> any Step {
    guard context.int("training_mode", default: 0) == 0 else {
      throw EngineError(.unsupported, "training_mode is not supported", node: context.node.label)
    }
    guard context.node.outputs.dropFirst().allSatisfy(\.isEmpty) else {
      throw EngineError(.unsupported, "statistics as outputs are not supported", node: context.node.label)
    }
    let epsilon = Double(context.float("epsilon", default: 1e-5))
    let type = try context.commonType()
    guard let step = ScalarTypes.real(type, BatchMaker(epsilon: epsilon)) else { throw context.unsupported(type) }
    return step
  }

  @Sendable private static func layer(_ context: NodeContext) throws(EngineError) -> any Step {
    let type = try context.commonType()
    let maker = LayerMaker(
      axis: context.int("axis", default: -1), epsilon: context.float("epsilon", default: 1e-5))
    guard let step = ScalarTypes.real(type, maker) else { throw context.unsupported(type) }
    return step
  }
}

private struct BatchMaker: RealVisitor {
  let epsilon: Double
  func visit<T: RealScalar>(_: T.Type) -> any Step { BatchNormalizationStep<T>(epsilon: epsilon) }
}

private struct LayerMaker: RealVisitor {
  let axis: Int
  let epsilon: Float
  func visit<T: RealScalar>(_: T.Type) -> any Step { LayerNormalizationStep<T>(axis: axis, epsilon: epsilon) }
}

/// (x - mean) / sqrt(variance + epsilon) * scale + offset with one value of each per channel, which is axis 1.
struct BatchNormalizationStep<T: RealScalar>: Step {
  let epsilon: Double

  /// The outputs after the first are statistics that inference does not give.
  var outputTypes: [ElementType] { Array(repeating: T.elementType, count: 5) }
  var kernel: String { "batchNormalization" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    let channels = shape.count < 2 ? 1 : shape[1]
    for index in 1...4 where try inputs.view(index).count != channels {
      throw EngineError(
        .shapeMismatch, "input \(index) has shape \(Shape(try inputs.shape(index))) for \(channels) channels")
    }
    let inner = shape.dropFirst(2).reduce(1, *)
    let outer = channels * inner == 0 ? 0 : count / (channels * inner)
    let epsilon = T(epsilon)
    return Work([shape], inPlaceInputs: [0]) { (memory) throws(EngineError) in
      let source = memory.input(0, T.self, count: count)
      let target = memory.output(0, T.self, count: count)
      let scale = memory.input(1, T.self, count: channels)
      let offset = memory.input(2, T.self, count: channels)
      let mean = memory.input(3, T.self, count: channels)
      let variance = memory.input(4, T.self, count: channels)
      for channel in 0..<channels {
        let factor = scale[channel] / (variance[channel] + epsilon).squareRoot()
        for block in 0..<outer {
          let start = (block * channels + channel) * inner
          for index in start..<start + inner {
            target[index] = (source[index] - mean[channel]) * factor + offset[channel]
          }
        }
      }
    }
  }
}

/// Normalisation over all axes from one on, with optional mean and inverse deviation as further outputs.
struct LayerNormalizationStep<T: RealScalar>: Step {
  let axis: Int
  let epsilon: Float

  var outputTypes: [ElementType] { Array(repeating: T.elementType, count: 3) }
  var kernel: String { "layerNormalization" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    let first = try Extents.axis(axis, rank: shape.count)
    let rowShape = Array(shape.dropFirst(first))
    let length = rowShape.reduce(1, *)
    for index in 1..<max(inputs.count, 1) where inputs.has(index) {
      guard try inputs.shape(index).reduce(1, *) == length,
        try Extents.broadcast([inputs.shape(index), rowShape]) == rowShape
      else {
        throw EngineError(
          .shapeMismatch, "input \(index) has shape \(Shape(try inputs.shape(index))), not \(Shape(rowShape))")
      }
    }
    guard inputs.has(1) else { throw EngineError(.invalidGraph, "input 1, the scale, is missing") }
    let rows = length == 0 ? 0 : count / length
    let statistics = Array(shape.prefix(first)) + [Int](repeating: 1, count: rowShape.count)
    let statisticsCount = statistics.reduce(1, *)
    let hasOffset = inputs.has(2)
    let epsilon = epsilon
    return Work([shape, statistics, statistics]) { (memory) throws(EngineError) in
      let givesStatistics = memory.hasOutput(1) || memory.hasOutput(2)
      if T.self == Float.self, !givesStatistics {
        unsafe RowFunctions.layerNorm(
          memory.input(0).assumingMemoryBound(to: Float.self), memory.output(0).assumingMemoryBound(to: Float.self),
          rows: rows, columns: length, scale: memory.input(1).assumingMemoryBound(to: Float.self),
          offset: hasOffset ? memory.input(2).assumingMemoryBound(to: Float.self) : nil, epsilon: epsilon,
          pool: memory.pool)
        return
      }
      let source = memory.input(0, T.self, count: count)
      let target = memory.output(0, T.self, count: count)
      let scale = memory.input(1, T.self, count: length)
      let offset = hasOffset ? memory.input(2, T.self, count: length) : nil
      for row in 0..<rows {
        let start = row * length
        var sum: T = 0
        for index in 0..<length { sum += source[start + index] }
        let mean = sum / T(length)
        var squares: T = 0
        for index in 0..<length { squares += (source[start + index] - mean) * (source[start + index] - mean) }
        let inverse = 1 / (squares / T(length) + T(epsilon)).squareRoot()
        for index in 0..<length {
          let value = (source[start + index] - mean) * inverse * scale[index]
          target[start + index] = offset.map { value + $0[index] } ?? value
        }
        if memory.hasOutput(1) { memory.output(1, T.self, count: statisticsCount)[row] = mean }
        if memory.hasOutput(2) { memory.output(2, T.self, count: statisticsCount)[row] = inverse }
      }
    }
  }
}

/// x · scale + offset along the last axis.
struct AffineStep: Step {
  let outputTypes: [ElementType] = [.float32]
  let kernel = "affine"
  private let scale: PackedBias
  private let offset: PackedBias
  private let columns: Int

  /// - Precondition: `scale` and `offset` are equally long.
  init(scale: [Float], offset: [Float]) {
    precondition(scale.count == offset.count, "a scale for each offset")
    columns = scale.count
    self.scale = PackedBias(scale)
    self.offset = PackedBias(offset)
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    guard let last = shape.last, last == columns else {
      throw EngineError(.shapeMismatch, "\(Shape(shape)) has not \(columns) values along its last axis")
    }
    let rows = try Extents.count(Array(shape.dropLast()))
    let (scale, offset, columns) = (scale, offset, columns)
    return Work([shape], inPlaceInputs: [0]) { (memory) throws(EngineError) in
      guard let scale = unsafe scale.base, let offset = unsafe offset.base else { return }
      unsafe RowFunctions.affine(
        memory.input(0).assumingMemoryBound(to: Float.self), memory.output(0).assumingMemoryBound(to: Float.self),
        rows: rows, columns: columns, scale: scale, offset: offset, pool: memory.pool)
    }
  }
}
