import NNFormat

/// One unit of work of a plan: an operator, or several fused, whose element types and constants are fixed.
///
/// A step is made once per plan and knows nothing of extents. `resolve` binds it to the extents of one run.
package protocol Step: Sendable {
  /// One entry for each output of the node, omitted ones included.
  var outputTypes: [ElementType] { get }
  /// The inputs whose elements, not just whose shape, decide the shapes of the outputs.
  var contentInputs: [Int] { get }
  /// Whether the outputs follow from the shapes of the inputs alone.
  var dependsOnlyOnShapes: Bool { get }
  /// What does the work, for profiles.
  var kernel: String { get }
  /// How many times larger than its inputs a result that is computed once and for all may be.
  var foldingGrowth: Int { get }

  /// Checks concrete shapes and prepares the work for them.
  ///
  /// - Throws: `EngineError` of kind `shapeMismatch` when the shapes do not fit together.
  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work

  /// The step as a plan keeps it, with what is worth doing once done: constants packed, tables filled.
  func prepared(_ pool: ThreadPool) throws(EngineError) -> any Step
}

extension Step {
  package var foldingGrowth: Int { 2 }
  package func prepared(_ pool: ThreadPool) throws(EngineError) -> any Step { self }
  package var contentInputs: [Int] { [] }
  package var dependsOnlyOnShapes: Bool { false }
}

/// A step bound to concrete shapes.
package struct Work {
  /// Runs the work; called any number of times with memory of the resolved sizes. Allocates nothing.
  package typealias Body = (StepMemory) throws(EngineError) -> Void

  package var outputShapes: [[Int]]
  package var scratchByteCount: Int
  /// Inputs whose memory the first output may take over, because each element is read before it is written.
  package var inPlaceInputs: [Int]
  /// The input whose bytes the first output is, unchanged; the work is then nothing.
  package var alias: Int?
  /// What a run costs.
  package var cost: StepCost
  package var run: Body
  /// The work by rows, where rows do not depend on each other.
  package var rowWork: RowWork?

  package init(
    _ outputShapes: [[Int]], scratchByteCount: Int = 0, inPlaceInputs: [Int] = [], cost: StepCost = StepCost(),
    run: @escaping Body
  ) {
    self.outputShapes = outputShapes
    self.scratchByteCount = scratchByteCount
    self.inPlaceInputs = inPlaceInputs
    alias = nil
    self.cost = cost
    self.run = run
  }

  /// The same bytes as an input under another shape.
  ///
  /// `byteCount` is copied when the plan has to keep the two apart.
  package init(aliasing input: Int, shape: [Int], byteCount: Int) {
    self.init([shape]) { memory throws(EngineError) in
      unsafe memory.output(0).copyMemory(from: memory.input(input), byteCount: byteCount)
    }
    alias = input
  }
}

/// What a step sees of one input when it resolves.
@safe package struct InputView {
  package let elementType: ElementType
  package let shape: [Int]
  /// The elements when they are known already.
  package let contents: UnsafeRawPointer?

  package init(elementType: ElementType, shape: [Int], contents: UnsafeRawPointer? = nil) {
    self.elementType = elementType
    self.shape = shape
    unsafe self.contents = contents
  }

  /// The number of elements; the product was checked when the value was made.
  package var count: Int { shape.reduce(1, *) }
}

/// The inputs of a step that resolves; `nil` for omitted ones.
package struct StepInputs {
  package let views: [InputView?]

  package init(_ views: [InputView?]) { self.views = views }

  package var count: Int { views.count }

  package func has(_ index: Int) -> Bool { index < views.count && views[index] != nil }

  /// The shape of an input that must be there.
  package func shape(_ index: Int) throws(EngineError) -> [Int] { try view(index).shape }

  package func view(_ index: Int) throws(EngineError) -> InputView {
    guard index < views.count, let view = views[index] else {
      throw EngineError(.invalidGraph, "input \(index) is missing")
    }
    return view
  }

  /// The elements of an integer input that the step named in `contentInputs`.
  package func ints(_ index: Int) throws(EngineError) -> [Int] {
    let view = try view(index)
    guard let contents = unsafe view.contents else {
      throw EngineError(.invalidGraph, "the elements of input \(index) are not known")
    }
    switch view.elementType {
    case .int64:
      return (0..<view.count).map { unsafe Int(contents.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
    case .int32:
      return (0..<view.count).map { unsafe Int(contents.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self)) }
    default:
      throw EngineError(.unsupported, "input \(index) is \(view.elementType.name) where int64 is needed")
    }
  }
}
