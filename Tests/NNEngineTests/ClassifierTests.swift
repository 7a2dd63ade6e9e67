import NNEngine
import NNFormat
import Testing

@Suite struct ClassifierTests {
  @Test func fusesToOneStepALayer() throws {
    let plan = try ExecutionPlan(classifier([784, 512, 256, 10], inputShape: [28, 28]).model)
    #expect(
      plan.stepDescriptions.map(\.operatorType) == [
        "Flatten", "Dense+bias+relu", "Dense+bias+relu", "Dense+bias", "Softmax",
      ])
  }

  @Test(arguments: [0, 1, 3, 17])
  func servesAnyBatch(batch: Int) throws {
    let sketch = classifier([12, 9, 5], inputShape: [3, 4])
    var random = SeededGenerator(7)
    let input = random.floats([batch, 3, 4])
    let network = try Network(sketch.model)
    let result = try network.predict(input.elements(), shape: [batch, 3, 4])
    #expect(result.shape == [batch, 5])
    for row in 0..<batch {
      #expect(abs(result.values[row * 5..<row * 5 + 5].reduce(0, +) - 1) < 1e-5)
    }
    let expected = try ReferenceInterpreter(sketch.model).run(["x": input])
    try expectClose([Tensor(result.values, shape: result.shape)], expected.map(\.tensor))
  }

  @Test func writesIntoTheCallersMemory() throws {
    let sketch = classifier([6, 5, 3])
    let network = try Network(sketch.model)
    let context = network.makeContext()
    var random = SeededGenerator(8)
    let input = try random.floats([2, 6]).elements(as: Float.self)
    let expected = try network.predict(input, shape: [2, 6]).values
    var output = [Float](repeating: 0, count: 6)
    var span = output.mutableSpan
    try context.predict(input.span, shape: [2, 6], into: &span)
    #expect(output == expected)
    #expect(throws: EngineError.self) {
      var short = [Float](repeating: 0, count: 5)
      var span = short.mutableSpan
      try context.predict(input.span, shape: [2, 6], into: &span)
    }
  }

  @Test func statesTheShapesOfItsOutputs() throws {
    let network = try Network(classifier([12, 9, 5], inputShape: [3, 4]).model)
    #expect(network.inputs.map(\.shape) == [[.symbolic("batch"), 3, 4]])
    #expect(network.outputs.map(\.shape) == [[.symbolic("batch"), 5]])
    #expect(network.outputs.map(\.elementType) == [.float32])
  }
}
