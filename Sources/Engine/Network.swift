import NNFormat

/// A network that is ready to predict.
///
///     let network = try Network(ModelFile.read("digits.onnx"))
///     let prediction = try network.predict(pixels, shape: [1, 28, 28])
///
/// Safe to use from any number of threads at once; each call borrows a context from a pool that grows to the largest
/// number of simultaneous calls.
public final class Network: Sendable {
  /// A result: values in row-major order and their shape.
  public struct Prediction: Sendable, Hashable {
    /// The elements, last axis fastest.
    public var values: [Float]
    /// The extents, usually rows first.
    public var shape: [Int]
  }

  /// A context between two calls. `@unchecked Sendable` holds because one call at a time has it.
  private struct IdleContext: @unchecked Sendable { let context: ExecutionContext }

  /// The compiled graph.
  public let plan: ExecutionPlan
  private let idle = Locked<[IdleContext]>([])

  /// Compiles a model.
  ///
  /// - Throws: `EngineError` that names the node which is unsupported or contradicts the graph.
  public init(_ model: Model, options: EngineOptions = .init()) throws(EngineError) {
    plan = try ExecutionPlan(model, options: options)
  }

  /// What the network takes, in the model's order.
  public var inputs: [Value] { plan.inputs }

  /// What the network gives, in the model's order.
  public var outputs: [Value] { plan.outputs }

  /// A context for a caller that runs many times on one thread and wants to skip the pool.
  public func makeContext() -> ExecutionContext { ExecutionContext(plan: plan) }

  /// Runs a network of one float32 input and one float32 output.
  ///
  /// - Parameters:
  ///   - values: the input in row-major order.
  ///   - shape: its shape, usually rows first; the product of the extents is `values.count`.
  /// - Throws: `EngineError` of kind `invalidInput` when the network has other inputs or outputs, or the shape does not
  ///   fit the declared one or the number of values.
  public func predict(_ values: [Float], shape: [Int]) throws(EngineError) -> Prediction {
    let context = borrow()
    defer { giveBack(context) }
    return try context.predict(values, shape: shape)
  }

  /// Runs any network.
  ///
  /// - Parameter inputs: a tensor for each input, by name. Integers are cast to the input's element type where that
  ///   loses nothing.
  /// - Returns: the outputs in the model's order.
  /// - Throws: `EngineError` of kind `invalidInput` when an input is missing, unknown, or of another type or shape than
  ///   declared; `shapeMismatch` when shapes do not fit together inside.
  public func run(_ inputs: [String: Tensor]) throws(EngineError) -> [(name: String, tensor: Tensor)] {
    if let other = plan.otherInputs.first {
      throw EngineError(
        .invalidInput,
        "the input \"\(other.name)\" is \(other.type?.description ?? "no tensor"); run the network with values instead of tensors"
      )
    }
    return try runTensors(inputs)
  }

  /// Runs any network, also one that takes sequences or optional values.
  ///
  /// - Parameter inputs: a value for each input, by name; tensors as `run(_:)` has it.
  /// - Returns: the outputs in the model's order, those that are no tensors last.
  /// - Throws: `EngineError` as `run(_:)`; of kind `invalidInput` also when a value is of another type than declared.
  public func run(values inputs: [String: TensorValue]) throws(EngineError) -> [(name: String, value: TensorValue)] {
    for other in plan.otherInputs {
      guard let value = inputs[other.name] else {
        throw EngineError(.invalidInput, "the input \"\(other.name)\" is missing")
      }
      guard let type = other.type, value.isOf(type) else {
        throw EngineError(
          .invalidInput, "the input \"\(other.name)\" is \(other.type?.description ?? "?"), the given value is not")
      }
    }
    var tensors: [String: Tensor] = [:]
    for (name, value) in inputs where !plan.otherInputs.contains(where: { $0.name == name }) {
      guard let tensor = value.tensor else {
        throw EngineError(.invalidInput, "the input \"\(name)\" is a tensor, the given value is not")
      }
      tensors[name] = tensor
    }
    let results = try runTensors(tensors).map { ($0.name, TensorValue.tensor($0.tensor)) }
    return results + plan.passed.compactMap { passed in inputs[passed.input].map { (passed.output, $0) } }
  }

  private func runTensors(_ inputs: [String: Tensor]) throws(EngineError) -> [(name: String, tensor: Tensor)] {
    let bound = try InputBinding.bind(inputs, to: plan)
    let context = borrow()
    defer { giveBack(context) }
    let outputs = try context.run(bound)
    return zip(plan.outputs, outputs).map { ($0.name, $1) }
  }

  private func borrow() -> ExecutionContext {
    idle.withLock { $0.popLast() }?.context ?? ExecutionContext(plan: plan)
  }

  private func giveBack(_ context: ExecutionContext) {
    let entry = IdleContext(context: context)
    idle.withLock { $0.append(entry) }
  }
}
