import NNFormat

extension ExecutionContext {
  /// Runs a network of one float32 input and one float32 output; see `Network.predict`.
  public func predict(_ values: [Float], shape: [Int]) throws(EngineError) -> Network.Prediction {
    let resolution = try resolution(forPrediction: values.count, shape: shape)
    guard resolution.isStatic else { return try predictDynamic(values, shape: shape) }
    let count = resolution.outputByteCounts[0] / MemoryLayout<Float>.stride
    var failure: EngineError?
    let result = unsafe values.withUnsafeBufferPointer { input in
      unsafe [Float](unsafeUninitializedCapacity: max(count, 1)) { buffer, initialized in
        do throws(EngineError) {
          unsafe try run(resolution, input, buffer)
          initialized = count
        } catch {
          failure = error
        }
      }
    }
    if let failure { throw failure }
    return Network.Prediction(values: result, shape: resolution.outputShapes[0])
  }

  /// Runs a network of one float32 input and one float32 output, writing into the caller's memory.
  ///
  /// With a shape that is remembered, and output shapes that follow from it, nothing is allocated.
  ///
  /// - Parameter output: room for exactly the output's elements.
  /// - Throws: `EngineError` of kind `invalidInput` also when the output is of another size.
  public func predict(
    _ values: Span<Float>, shape: [Int], into output: inout MutableSpan<Float>
  ) throws(EngineError) {
    let resolution = try resolution(forPrediction: values.count, shape: shape)
    guard resolution.isStatic else {
      throw EngineError(.invalidInput, "the size of the output depends on computed elements; use predict(_:shape:)")
    }
    let count = resolution.outputByteCounts[0] / MemoryLayout<Float>.stride
    guard output.count == count else {
      throw EngineError(.invalidInput, "the output has \(count) values, there is room for \(output.count)")
    }
    try unsafe values.withUnsafeBufferPointer { input throws(EngineError) in
      try unsafe output.withUnsafeMutableBufferPointer { output throws(EngineError) in
        try unsafe run(resolution, input, output)
      }
    }
  }

  private func resolution(forPrediction count: Int, shape: [Int]) throws(EngineError) -> Resolution {
    guard plan.inputs.count == 1, plan.outputs.count == 1, plan.inputs[0].elementType == .float32,
      plan.outputType(0) == .float32
    else {
      throw EngineError(
        .invalidInput,
        "the network does not have one float32 input and one float32 output; run it with named tensors")
    }
    return try resolution(forOnly: shape, count: count)
  }

  private func run(
    _ resolution: Resolution, _ input: UnsafeBufferPointer<Float>, _ output: UnsafeMutableBufferPointer<Float>
  ) throws(EngineError) {
    // An empty buffer may have no address, but a step wants one.
    let source = unsafe input.baseAddress.map { unsafe UnsafeRawPointer($0) } ?? UnsafeRawPointer(resolution.arena.base)
    let target =
      unsafe output.baseAddress.map { UnsafeMutableRawPointer($0) } ?? resolution.arena.base
    try unsafe withUnsafePointer(to: source) { source throws(EngineError) in
      try unsafe withUnsafePointer(to: target) { target throws(EngineError) in
        try unsafe run(
          resolution, inputs: UnsafeBufferPointer(start: source, count: 1),
          outputs: UnsafeBufferPointer(start: target, count: 1))
      }
    }
  }

  private func predictDynamic(_ values: [Float], shape: [Int]) throws(EngineError) -> Network.Prediction {
    let output = try run([Tensor(values, shape: shape)])[0]
    do throws(FormatError) {
      return Network.Prediction(values: try output.elements(), shape: output.shape)
    } catch {
      throw EngineError(.invalidGraph, error.message)
    }
  }
}
