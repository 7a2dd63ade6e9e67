import NNFormat

/// Linear models of `ai.onnx.ml`.
package enum LinearModelOperators {
  package static let rows: [OperatorImplementation] = [
    FeatureOperators.row("LinearRegressor") { context throws(EngineError) in
      let targets = context.int("targets", default: 1)
      let model = try LinearModel(context, targets: targets)
      return try ScalarTypes.numeric(context.type(0), RegressorMaker(model: model), context)
    },
    FeatureOperators.row("LinearClassifier") { context throws(EngineError) in
      let texts = context.node.strings("classlabels_strings").flatMap { $0.isEmpty ? nil : $0 }
      let numbers = (context.node.ints("classlabels_ints") ?? []).map(Int64.init)
      let count = texts?.count ?? numbers.count
      let model = try LinearModel(context, targets: try classifierTargets(context, labels: count))
      guard count == model.targets || (count == 2 && model.targets == 1) else {
        throw context.invalid("\(count) labels stand beside \(model.targets) classes")
      }
      let type = try context.type(0)
      guard let texts else {
        return try ScalarTypes.numeric(type, ClassifierMaker(model: model, labels: numbers, table: nil), context)
      }
      let table = try StringTable(texts)
      return try ScalarTypes.numeric(
        type, ClassifierMaker(model: model, labels: table.elements, table: table), context)
    },
  ]

  /// The number of scores: one for each intercept, else one for each label.
  static func classifierTargets(_ context: NodeContext, labels: Int) throws(EngineError) -> Int {
    let count = context.node.floats("intercepts")?.count ?? labels
    guard labels > 0, count > 0 else { throw context.invalid("it names no classes") }
    return count
  }
}

/// x · coefficients + intercepts and what is done to the scores.
struct LinearModel: Sendable {
  enum Transform: String, Sendable { case none = "NONE", logistic = "LOGISTIC", softmax = "SOFTMAX" }

  let targets: Int
  let features: Int
  let weights: PackedMatrix
  let intercepts: PackedBias
  let transform: Transform

  init(_ context: NodeContext, targets: Int) throws(EngineError) {
    let coefficients = context.node.floats("coefficients") ?? []
    guard targets > 0, coefficients.count % targets == 0 else {
      throw context.invalid("\(coefficients.count) coefficients are not divided by \(targets) targets")
    }
    let name = context.node.text("post_transform", default: "NONE")
    guard let transform = Transform(rawValue: name) else {
      throw EngineError(.unsupported, "the post_transform \(name) is not supported", node: context.node.label)
    }
    let intercepts = context.node.floats("intercepts")
    guard intercepts == nil || intercepts?.count == targets else {
      throw context.invalid("\(intercepts?.count ?? 0) intercepts stand beside \(targets) targets")
    }
    self.targets = targets
    self.transform = transform
    features = coefficients.count / targets
    let features = features
    weights = try unsafe coefficients.withUnsafeBufferPointer { values throws(EngineError) in
      try unsafe PackedMatrix(
        depth: features, columns: targets, source: UnsafeRawBufferPointer(values), isTransposed: true)
    }
    self.intercepts = PackedBias(intercepts)
  }

  /// The rows of an input, which are its first axis; a vector is one row.
  func rows(_ shape: [Int]) throws(EngineError) -> Int {
    guard shape.count == 1 || shape.count == 2, shape.last == features else {
      throw EngineError(.shapeMismatch, "\(Shape(shape)) are no rows of \(features) features")
    }
    return shape.count == 1 ? 1 : shape[0]
  }

  func scratchByteCount(rows: Int) -> Int {
    let product = Gemm.scratchByteCount(rows: rows, depth: features, columns: targets)
    return (product + 63) & ~63 + rows * features * MemoryLayout<Float>.stride
  }

  func cost(rows: Int) -> StepCost {
    .products(
      rows: rows, depth: features, columns: targets, constantByteCount: weights.byteCount + intercepts.byteCount)
  }

  /// Writes raw scores [rows x targets].
  @unsafe func scores<T: TensorScalar>(
    _ memory: StepMemory, rows: Int, read: (T) -> Float, into scores: UnsafeMutablePointer<Float>
  ) {
    guard rows > 0 else { return }
    let product = Gemm.scratchByteCount(rows: rows, depth: features, columns: targets)
    let values = unsafe (memory.scratch + ((product + 63) & ~63)).assumingMemoryBound(to: Float.self)
    let source = memory.input(0, T.self, count: rows * features)
    for index in 0..<rows * features { unsafe values[index] = read(source[index]) }
    unsafe Gemm.run(
      rows: rows, a: values, lda: features, weights: weights, bias: intercepts.base, activation: .identity, c: scores,
      ldc: targets, scratch: memory.scratch, pool: memory.pool)
  }

  /// Turns scores [rows x columns] into what the model gives.
  @unsafe func transform(_ scores: UnsafeMutablePointer<Float>, rows: Int, columns: Int, pool: ThreadPool) {
    switch transform {
    case .none: return
    case .logistic: unsafe Activation.sigmoid.apply(scores, scores, count: rows * columns)
    case .softmax: unsafe RowFunctions.softmax(scores, scores, rows: rows, columns: columns, pool: pool)
    }
  }
}

private struct RegressorMaker: ArithmeticOperators.StepMaker {
  let model: LinearModel
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    RegressorStep<T>(model: model) { Float($0) }
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step { RegressorStep<T>(model: model) { Float($0) } }
}

private struct RegressorStep<T: TensorScalar>: Step {
  let model: LinearModel
  let read: @Sendable (T) -> Float
  let outputTypes: [ElementType] = [.float32]
  let kernel = "linear regressor"

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let rows = try model.rows(inputs.shape(0))
    _ = try Extents.count([rows, model.targets])
    let (model, read) = (model, read)
    return Work(
      [[rows, model.targets]], scratchByteCount: model.scratchByteCount(rows: rows), cost: model.cost(rows: rows)
    ) { (memory) throws(EngineError) in
      let scores = unsafe memory.output(0).assumingMemoryBound(to: Float.self)
      unsafe model.scores(memory, rows: rows, read: read, into: scores)
      unsafe model.transform(scores, rows: rows, columns: model.targets, pool: memory.pool)
    }
  }
}

private struct ClassifierMaker<Label: TensorScalar>: ArithmeticOperators.StepMaker {
  let model: LinearModel
  let labels: [Label]
  let table: StringTable?

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    ClassifierStep<T, Label>(model: model, labels: labels, table: table) { Float($0) }
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step {
    ClassifierStep<T, Label>(model: model, labels: labels, table: table) { Float($0) }
  }
}

/// The label of the highest score of each row, and the scores. One score for two labels speaks for the second.
private struct ClassifierStep<T: TensorScalar, Label: TensorScalar>: Step {
  let model: LinearModel
  let labels: [Label]
  /// Holds the labels that are strings.
  let table: StringTable?
  let read: @Sendable (T) -> Float
  let kernel = "linear classifier"

  var outputTypes: [ElementType] { [Label.elementType, .float32] }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let rows = try model.rows(inputs.shape(0))
    let columns = labels.count
    let count = try Extents.count([rows, columns])
    let (model, labels, read) = (model, labels, read)
    return Work(
      [[rows], [rows, columns]],
      scratchByteCount: model.scratchByteCount(rows: rows) + 64 + count * MemoryLayout<Float>.stride,
      cost: model.cost(rows: rows)
    ) { (memory) throws(EngineError) in
      let spare = unsafe memory.scratch + ((model.scratchByteCount(rows: rows) + 63) & ~63)
      let scores = unsafe (memory.optionalOutput(1) ?? spare).assumingMemoryBound(to: Float.self)
      unsafe model.scores(memory, rows: rows, read: read, into: scores)
      let isSingle = model.targets < columns
      if memory.hasOutput(0) {
        let chosen = memory.output(0, Label.self, count: rows)
        for row in 0..<rows {
          var best = 0
          if isSingle {
            best = unsafe scores[row] > 0 ? 1 : 0
          } else {
            for column in 1..<max(columns, 1) {
              if unsafe scores[row * columns + column] > scores[row * columns + best] { best = column }
            }
          }
          chosen[row] = labels[best]
        }
      }
      guard isSingle else {
        unsafe model.transform(scores, rows: rows, columns: columns, pool: memory.pool)
        return
      }
      unsafe model.transform(scores, rows: rows, columns: 1, pool: memory.pool)
      for row in (0..<rows).reversed() {
        let score = unsafe scores[row]
        unsafe scores[row * 2] = model.transform == .logistic ? 1 - score : -score
        unsafe scores[row * 2 + 1] = score
      }
    }
  }
}
