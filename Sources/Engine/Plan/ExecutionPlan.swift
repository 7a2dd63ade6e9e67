import NNFormat

/// A graph compiled for this machine: constants folded, operators fused, weights packed.
///
/// Immutable, so one plan may serve any number of contexts on any threads, for any batch size.
public final class ExecutionPlan: Sendable {
  /// What one step of a plan is, for profiles and reports.
  public struct StepDescription: Sendable, Hashable {
    /// The name of the node it came from.
    public var name: String
    /// The operators it stands for, joined with `+`.
    public var operatorType: String
    /// What does the work.
    public var kernel: String

    package init(name: String, operatorType: String, kernel: String) {
      (self.name, self.operatorType, self.kernel) = (name, operatorType, kernel)
    }
  }

  /// The inputs of the network that are not constants, in the model's order, with types and shapes as the model states
  /// them.
  public let inputs: [Value]
  /// The outputs of the network, in the model's order.
  public let outputs: [Value]
  /// The inputs that are sequences or optional values, as the model states them. They are not computed with.
  public let otherInputs: [Value]
  /// The outputs that are such inputs, unchanged.
  public let passed: [PassedValue]
  /// What the plan was compiled with.
  public let options: EngineOptions

  package struct BoundStep: Sendable {
    package let step: any Step
    package let inputs: [Int?]
    package let outputs: [Int?]
    package let name: String
    package let operatorType: String
    package let label: String
  }

  package let steps: [BoundStep]
  package let elementTypes: [ElementType?]
  package let constants: [Constant?]
  package let inputValues: [Int]
  package let outputValues: [Int]
  package let pool: ThreadPool

  /// What each step is, in execution order.
  public var stepDescriptions: [StepDescription] {
    steps.map { StepDescription(name: $0.name, operatorType: $0.operatorType, kernel: $0.step.kernel) }
  }

  /// Compiles a model.
  ///
  /// - Throws: `EngineError` that names the node which is unsupported or contradicts the graph.
  public init(_ model: Model, options: EngineOptions = .init()) throws(EngineError) {
    let pool = ExecutionPlan.pool(options)
    let compiled = try PlanCompiler.compile(model, options: options, pool: pool)
    let graph = model.graph
    let draft = compiled.draft
    self.options = options
    self.pool = pool
    steps = compiled.steps
    elementTypes = draft.values.map(\.elementType)
    var aligned: [Constant?] = []
    var isRead = [Bool](repeating: false, count: draft.values.count)
    for step in compiled.steps { for case let input? in step.inputs { isRead[input] = true } }
    for output in draft.outputs { isRead[output] = true }
    for (index, value) in draft.values.enumerated() {
      aligned.append(isRead[index] ? try value.constant?.aligned() : nil)
    }
    constants = aligned
    inputValues = draft.inputs
    outputValues = draft.outputs
    let names = Set(draft.inputs.map { draft.values[$0].name })
    inputs = graph.inputs.filter { names.contains($0.name) }
    outputs = try ExecutionPlan.described(
      model, graph.outputs.filter { output in !draft.passed.contains { $0.output == output.name } },
      types: draft.outputs.map { draft.values[$0].elementType })
    let otherNames = Set(draft.otherInputs.values.map(\.name))
    otherInputs = graph.inputs.filter { otherNames.contains($0.name) }
    passed = draft.passed
  }

  /// The outputs of a model with the types and shapes that follow from its inputs.
  private static func described(
    _ model: Model, _ outputs: [Value], types: [ElementType?]
  ) throws(EngineError) -> [Value] {
    let inferred: ShapeInference
    do {
      inferred = try ShapeInference.infer(model)
    } catch {
      throw EngineError(.invalidGraph, error)
    }
    return zip(outputs, types).map { output, type in
      var output = output
      let shape = inferred[output.name]?.shape ?? output.shape
      if let type { output.type = .tensor(type, shape) }
      return output
    }
  }

  /// Threads shared by all networks, unless more are asked for than there are, or pinned ones.
  private static func pool(_ options: EngineOptions) -> ThreadPool {
    if options.pinsThreads {
      return ThreadPool(threads: max(options.threads ?? ThreadPool.onlineProcessorCount, 1), isPinned: true)
    }
    guard let threads = options.threads else { return .shared }
    return threads <= ThreadPool.shared.threadCount ? .shared(limit: max(threads, 1)) : ThreadPool(threads: threads)
  }

  /// The element type of an output.
  package func outputType(_ index: Int) -> ElementType { elementTypes[outputValues[index]] ?? .float32 }
}
