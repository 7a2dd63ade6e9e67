import NNFormat

/// Where one batch goes: rows of the inputs, of the targets and their weights.
@safe public struct TrainingBatch {
  package let inputs: [UnsafeMutableRawPointer]
  package let inputRowBytes: [Int]
  package let targets: Floats
  package let targetRowCount: Int
  package let weights: Floats

  /// Copies one row of an input, as many bytes as it has.
  package func setInput(_ index: Int, row: Int, _ source: UnsafeRawPointer) {
    unsafe (inputs[index] + row * inputRowBytes[index]).copyMemory(from: source, byteCount: inputRowBytes[index])
  }
}

extension TrainingBatch {
  /// Sets the target of a row to a class: its number, or 1 at its place and 0 elsewhere. The row's weight becomes 1.
  public func setTarget(row: Int, label: Int, isSparse: Bool) {
    weights[row] = 1
    if isSparse || targetRowCount == 1 { return targets[row] = Float(label) }
    for k in 0..<targetRowCount { targets[row * targetRowCount + k] = k == label ? 1 : 0 }
  }

  /// Copies one row of a float32 input.
  public func setInput(_ index: Int, row: Int, _ values: [Float]) {
    unsafe values.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, bytes.count == inputRowBytes[index] else { return }
      unsafe setInput(index, row: row, base)
    }
  }
}

/// Rows to train on or to judge by.
public protocol TrainingData {
  /// The number of rows.
  var rowCount: Int { get }

  /// The shapes of the inputs for a number of rows.
  func inputShapes(rows: Int) -> [[Int]]

  /// Values of the targets in a row: class numbers or values.
  var targetRowCount: Int { get }

  /// Writes rows, in the order given.
  func read(_ rows: ArraySlice<Int>, into batch: TrainingBatch) throws(EngineError)
}

/// Rows in memory.
public final class TrainingArrays: TrainingData {
  private let inputs: [Constant]
  private let inputTensors: [Tensor]
  private let targets: [Float]
  private let weights: [Float]?
  /// The number of rows.
  public let rowCount: Int
  /// Values of the targets in a row.
  public let targetRowCount: Int

  /// Rows of tensors.
  ///
  /// - Parameters:
  ///   - inputs: one for each input of the network, of its element type, rows first.
  ///   - targets: numbers, rows first.
  ///   - weights: how much each row counts.
  /// - Throws: `EngineError` of kind `invalidInput` when the numbers of rows differ or elements cannot be read.
  public init(inputs: [Tensor], targets: Tensor, weights: Tensor? = nil) throws(EngineError) {
    guard let rows = targets.shape.first ?? inputs.first?.shape.first else {
      throw EngineError(.invalidInput, "the data has no rows")
    }
    for (name, tensor) in inputs.enumerated().map({ ("input \($0)", $1) }) + [("the targets", targets)]
    where tensor.shape.first != rows {
      throw EngineError(.invalidInput, "\(name) has \(tensor.shape.first ?? 0) rows, others have \(rows)")
    }
    rowCount = rows
    inputTensors = inputs
    var constants: [Constant] = []
    for input in inputs { constants.append(try Constant(input).aligned()) }
    self.inputs = constants
    targetRowCount = targets.shape.dropFirst().reduce(1, *)
    self.targets = try Self.floats(targets, "the targets")
    self.weights = try weights.map { (weights) throws(EngineError) in try Self.floats(weights, "the weights") }
    if let weights = self.weights, weights.count != rows {
      throw EngineError(.invalidInput, "there are \(weights.count) weights for \(rows) rows")
    }
  }

  /// Rows of a network with several outputs.
  ///
  /// - Parameter targets: one for each output that is trained, in the order of `TrainingSettings.outputs`.
  public convenience init(inputs: [Tensor], targets: [Tensor], weights: Tensor? = nil) throws(EngineError) {
    let rows = targets.first?.shape.first ?? 0
    var columns: [(values: [Float], width: Int)] = []
    for target in targets {
      guard target.shape.first == rows else {
        throw EngineError(.invalidInput, "the targets have \(target.shape.first ?? 0) rows, others have \(rows)")
      }
      columns.append((try Self.floats(target, "the targets"), target.shape.dropFirst().reduce(1, *)))
    }
    let width = columns.reduce(0) { $0 + $1.width }
    var joined: [Float] = []
    joined.reserveCapacity(rows * width)
    for row in 0..<rows {
      for column in columns { joined += column.values[row * column.width..<(row + 1) * column.width] }
    }
    try self.init(inputs: inputs, targets: Tensor(joined, shape: [rows, width]), weights: weights)
  }

  static func floats(_ tensor: Tensor, _ name: String) throws(EngineError) -> [Float] {
    do throws(FormatError) {
      if tensor.elementType == .bool {
        return try tensor.elements(as: Bool.self).map { $0 ? 1 : 0 }
      }
      return try tensor.converted(to: .float32).elements(as: Float.self)
    } catch {
      throw EngineError(.invalidInput, "\(name) cannot be read: \(error.message)")
    }
  }

  /// The shapes of the inputs for a number of rows.
  public func inputShapes(rows: Int) -> [[Int]] { inputTensors.map { [rows] + $0.shape.dropFirst() } }

  /// The targets of a row.
  public func targets(ofRow row: Int) -> ArraySlice<Float> {
    targets[row * targetRowCount..<(row + 1) * targetRowCount]
  }

  /// Writes rows, in the order given.
  public func read(_ rows: ArraySlice<Int>, into batch: TrainingBatch) throws(EngineError) {
    let gathering = RowGathering(rows: rows, inputs: inputs, batch: batch)
    gathering.run(.shared)
    for place in 0..<rows.count {
      let row = rows[rows.startIndex + place]
      for k in 0..<targetRowCount { batch.targets[place * targetRowCount + k] = targets[row * targetRowCount + k] }
      batch.weights[place] = weights?[row] ?? 1
    }
  }
}

/// Copies rows of inputs to where a batch goes, on threads.
private struct RowGathering {
  let rows: ArraySlice<Int>
  let inputs: [Constant]
  let batch: TrainingBatch

  func run(_ pool: ThreadPool) {
    var bytes = 0
    for index in inputs.indices { bytes += batch.inputRowBytes[index] * rows.count }
    let tasks = max(1, WorkEstimate(nanoseconds: Double(bytes) / 8).taskCount(most: rows.count, pool))
    unsafe withUnsafePointer(to: (self, tasks)) { pointer in
      unsafe pool.parallelFor(tasks: tasks, context: UnsafeRawPointer(pointer)) { context, task in
        let work = unsafe context.assumingMemoryBound(to: (RowGathering, Int).self)
        unsafe work.pointee.0.copy(task, of: work.pointee.1)
      }
    }
  }

  private func copy(_ task: Int, of tasks: Int) {
    for place in rows.count * task / tasks..<rows.count * (task + 1) / tasks {
      let row = rows[rows.startIndex + place]
      for index in inputs.indices {
        unsafe batch.setInput(index, row: place, inputs[index].base + row * batch.inputRowBytes[index])
      }
    }
  }
}

/// Some rows of other data, in an order of their own.
public struct TrainingSelection: TrainingData {
  private let data: any TrainingData
  private let rows: [Int]

  /// The rows of `data` at the given places.
  public init(_ data: any TrainingData, rows: [Int]) {
    self.data = data
    self.rows = rows
  }

  /// The numbers below `count` in an order that a seed decides.
  public static func shuffled(_ count: Int, seed: UInt64) -> [Int] {
    Trainer.shuffled(count, seed: seed, epoch: -1)
  }

  /// The number of rows.
  public var rowCount: Int { rows.count }
  /// The shapes of the inputs for a number of rows.
  public func inputShapes(rows: Int) -> [[Int]] { data.inputShapes(rows: rows) }
  /// Values of the targets in a row.
  public var targetRowCount: Int { data.targetRowCount }
  /// Writes rows, in the order given.
  public func read(_ places: ArraySlice<Int>, into batch: TrainingBatch) throws(EngineError) {
    try data.read(ArraySlice(places.map { rows[$0] }), into: batch)
  }
}

/// Loops over independent work on the threads of the process.
public enum TrainingThreads {
  /// Calls `body` for every number below `count`, each once, on any thread, and returns when all have ended.
  public static func forEach(_ count: Int, _ body: (Int) -> Void) { ThreadPool.shared.parallelFor(tasks: count, body) }
}
