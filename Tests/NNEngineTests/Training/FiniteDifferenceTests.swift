import NNEngine
import NNFormat
import Testing

/// Gradients of single operators against quotients of small differences.
@Suite struct FiniteDifferenceTests {
  /// A network of one operator between parameters and a mean of squares, and the gradient of each parameter against the
  /// change of the loss when one element changes.
  private func check(
    _ operatorType: String, _ shapes: [[Int]], outputs: Int = 1, integers: [(Int, Tensor)] = [],
    attributes: [Attribute] = [], in range: ClosedRange<Float> = -2...2, columns: Int
  ) throws {
    var random = SeededGenerator(11)
    var sketch = GraphSketch()
    sketch.input("x", [.symbolic("batch"), 1])
    var inputs: [String] = []
    for (index, shape) in shapes.enumerated() {
      sketch.constant("p\(index)", random.floats(shape, in: range))
      inputs.append("p\(index)")
    }
    for (place, tensor) in integers {
      sketch.constant("i\(place)", tensor)
      inputs.insert("i\(place)", at: place)
    }
    let names = (0..<outputs).map { "y\($0)" }
    sketch.node(operatorType, inputs, names, attributes)
    sketch.constant("flat", Tensor([Int64(1), Int64(columns)]))
    sketch.node("Reshape", [names[0], "flat"], ["row"])
    sketch.node("Mul", ["row", "x"], ["z"])
    sketch.output("z")
    var settings = TrainingSettings(loss: Loss(.meanSquaredError), optimizer: .sgd())
    settings.parameters = shapes.indices.map { TrainableParameter("p\($0)") }
    let target = random.floats([1, columns])
    let x = Tensor([Float(1)], shape: [1, 1])
    let gradients = try Trainer(sketch.model, settings: settings).gradients(inputs: [x], targets: target)
    for (index, gradient) in gradients.enumerated() {
      let values = try gradient.tensor.elements(as: Float.self)
      for element in values.indices {
        func loss(_ change: Float) throws -> Double {
          var model = sketch.model
          let place = try #require(model.graph.initializers.firstIndex { $0.name == "p\(index)" })
          var elements = try model.graph.initializers[place].tensor.elements(as: Float.self)
          elements[element] += change
          model.graph.initializers[place].tensor = Tensor(elements, shape: shapes[index])
          return try Trainer(model, settings: settings).evaluate(TrainingArrays(inputs: [x], targets: target)).loss
        }
        let quotient = try (loss(0.004) - loss(-0.004)) / 0.008
        let tolerance = 0.01 * max(abs(quotient), 0.3)
        #expect(
          abs(Double(values[element]) - quotient) < tolerance,
          "\(operatorType) p\(index)[\(element)]: \(values[element]), \(quotient)")
      }
    }
  }

  @Test(arguments: ["Add", "Sub", "Mul", "Max", "Min"]) func binary(_ name: String) throws {
    try check(name, [[2, 3], [3]], columns: 6)
    try check(name, [[2, 1], [1, 3]], columns: 6)
    try check(name, [[2, 3], [1]], columns: 6)
  }

  @Test func quotientsAndPowers() throws {
    try check("Div", [[2, 3], [3]], in: 0.5...2, columns: 6)
    try check("Pow", [[2, 3], [1]], in: 0.5...2, columns: 6)
  }

  @Test(arguments: [
    "Sigmoid", "Tanh", "Elu", "Selu", "Celu", "Gelu", "Softplus", "Softsign", "Mish", "HardSwish", "Exp", "Erf", "Sin",
    "Cos", "Sinh", "Cosh", "Atan", "Asinh", "Neg",
  ])
  func unary(_ name: String) throws { try check(name, [[2, 3]], columns: 6) }

  @Test(arguments: ["Log", "Sqrt", "Reciprocal", "Relu", "Abs", "Acosh"]) func unaryPositive(_ name: String) throws {
    try check(name, [[2, 3]], in: 1.2...2, columns: 6)
  }

  @Test(arguments: ["Asin", "Acos", "Atanh", "Tan"]) func unarySmall(_ name: String) throws {
    try check(name, [[2, 3]], in: -0.7...0.7, columns: 6)
  }

  @Test func products() throws {
    try check("MatMul", [[2, 3], [3, 4]], columns: 8)
    try check("MatMul", [[2, 2, 3], [3, 2]], columns: 8)
    try check("MatMul", [[2, 2, 3], [2, 3, 2]], columns: 8)
    try check("MatMul", [[1, 2, 3], [2, 3, 2]], columns: 8)
    for transA in 0...1 {
      for transB in 0...1 {
        try check(
          "Gemm", [transA == 1 ? [3, 2] : [2, 3], transB == 1 ? [4, 3] : [3, 4], [4]],
          attributes: [
            Attribute("transA", .int(Int64(transA))), Attribute("transB", .int(Int64(transB))),
            Attribute("alpha", .float(0.7)), Attribute("beta", .float(1.3)),
          ], columns: 8)
      }
    }
    try check(
      "Einsum", [[2, 3], [4, 3]], attributes: [Attribute("equation", .text("ij,kj->ki"))], columns: 8)
  }

  @Test(arguments: [
    "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp", "ReduceL1",
  ])
  func reductions(_ name: String) throws {
    try check(name, [[2, 3]], integers: [(1, Tensor([Int64(1)]))], columns: 2)
    try check(name, [[2, 3]], integers: [(1, Tensor([Int64(0)]))], columns: 3)
  }

  @Test func rearranging() throws {
    try check("Transpose", [[2, 3]], columns: 6)
    try check("Concat", [[2, 1], [2, 2]], attributes: [Attribute("axis", .int(1))], columns: 6)
    try check("Expand", [[2, 1]], integers: [(1, Tensor([Int64(2), 3]))], columns: 6)
    try check("Tile", [[1, 3]], integers: [(1, Tensor([Int64(2), 2]))], columns: 12)
    try check("Pad", [[2, 2]], integers: [(1, Tensor([Int64(1), 0, 0, 1]))], columns: 9)
    try check(
      "Slice", [[4, 3]],
      integers: [
        (1, Tensor([Int64(-1)])), (2, Tensor([Int64.min + 1])), (3, Tensor([Int64(0)])), (4, Tensor([Int64(-2)])),
      ], columns: 6)
    try check("Gather", [[4, 2]], integers: [(1, Tensor([Int64(1), -1, 1]))], columns: 6)
    try check("CumSum", [[2, 3]], integers: [(1, Tensor([Int64(1)], shape: []))], columns: 6)
    try check("TopK", [[2, 4]], integers: [(1, Tensor([Int64(2)]))], columns: 4, outputs: 2)
  }

  private func check(
    _ operatorType: String, _ shapes: [[Int]], integers: [(Int, Tensor)], columns: Int, outputs: Int
  ) throws {
    try check(operatorType, shapes, outputs: outputs, integers: integers, columns: columns)
  }

  @Test func normalisations() throws {
    try check("Softmax", [[2, 3]], columns: 6)
    try check("Softmax", [[2, 3]], attributes: [Attribute("axis", .int(0))], columns: 6)
    try check("LogSoftmax", [[2, 3]], columns: 6)
    try check("LayerNormalization", [[2, 4], [4], [4]], columns: 8)
  }
}
