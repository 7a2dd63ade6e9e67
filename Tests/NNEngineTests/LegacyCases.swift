import NNEngine
import NNFormat
import Testing

/// Operators in the forms of the first operator sets.
extension OperatorCases {
  static var legacy: [OperatorCase] {
    var random = SeededGenerator(51)
    var cases: [OperatorCase] = []
    let on = Attribute("broadcast", .int(1))
    let shapes: [([Int], [Int], Int?)] = [
      ([2, 3, 4, 5], [], nil), ([2, 3, 4, 5], [1, 1], nil), ([2, 3, 4, 5], [5], nil), ([2, 3, 4, 5], [4, 5], nil),
      ([2, 3, 4, 5], [3, 4], 1), ([2, 3, 4, 5], [2], 0), ([2, 3, 4, 5], [3], -3), ([4, 4], [4], 0),
    ]
    for version in [1, 6] {
      for (x, y, axis) in shapes {
        let attributes = axis.map { [on, Attribute("axis", .int(Int64($0)))] } ?? [on]
        for name in ["Add", "Sub", "Mul", "Div", "Pow"] {
          cases.append(
            OperatorCase(
              type: name, inputs: [random.floats(x, in: 0.1...2), random.floats(y, in: 0.5...2)],
              attributes: attributes, version: version))
        }
        for name in ["Less", "Greater"] {
          cases.append(
            OperatorCase(
              type: name, inputs: [random.floats(x), random.floats(y)], attributes: attributes, version: version))
        }
        for name in ["And", "Or", "Xor", "Equal"] {
          cases.append(
            OperatorCase(
              type: name, inputs: [random.bools(x), random.bools(y)], attributes: attributes, version: version))
        }
      }
      cases.append(
        OperatorCase(type: "Add", inputs: [random.floats([3, 4]), random.floats([3, 4])], version: version))
      cases.append(
        OperatorCase(type: "PRelu", inputs: [random.floats([2, 3, 4]), random.floats([3])], version: version))
      cases.append(OperatorCase(type: "PRelu", inputs: [random.floats([2, 3]), random.floats([1])], version: version))
      for name in ["Sum", "Mean", "Max", "Min"] {
        cases.append(
          OperatorCase(
            type: name, inputs: [random.floats([3, 4]), random.floats([3, 4]), random.floats([3, 4])],
            version: version))
      }
      cases.append(
        OperatorCase(
          type: "Dropout", inputs: [random.floats([3, 4])], attributes: [Attribute("is_test", .int(1))], outputs: 2,
          version: version))
    }
    for version in [7, 10, 12] {
      cases.append(OperatorCase(type: "Dropout", inputs: [random.floats([3, 4])], outputs: 2, version: version))
    }
    return cases
  }
}

@Suite struct LegacyOperatorTests {
  @Test func broadcastingHasToBeAskedFor() throws {
    var sketch = GraphSketch(version: 6)
    sketch.input("x", nil)
    sketch.input("y", nil)
    sketch.node("Add", ["x", "y"], ["z"])
    sketch.output("z")
    #expect(throws: EngineError.self) {
      _ = try sketch.run([Tensor([Float](repeating: 1, count: 6), shape: [2, 3]), Tensor([Float(1), 1, 1])])
    }
  }

  @Test func biasOfAnotherAxisIsNotFused() throws {
    var sketch = GraphSketch(version: 6)
    sketch.input("x", nil)
    sketch.constant("w", Tensor([Float(1), 0, 0, 1], shape: [2, 2]))
    sketch.constant("b", Tensor([Float(10), 20]))
    sketch.node("MatMul", ["x", "w"], ["h"])
    sketch.node("Add", ["h", "b"], ["y"], [Attribute("broadcast", .int(1)), Attribute("axis", .int(0))])
    sketch.output("y")
    #expect(try sketch.run([Tensor([Float(1), 2, 3, 4], shape: [2, 2])])[0].numbers == [11, 12, 23, 24])
  }
}

@Suite struct DropoutTests {
  /// The first numbers that NumPy draws after `seed(0)` are 0.549, 0.715, 0.603, 0.545, 0.424 and 0.646.
  private func run(_ mode: Bool?, isConstant: Bool, version: Int = 22) throws -> [Tensor] {
    var sketch = GraphSketch(version: version)
    let values = Tensor((1...6).map { Float($0) })
    sketch.input("x", nil)
    sketch.constant("r", Tensor([Float(0.6)], shape: []))
    var given = [values]
    if let mode {
      let tensor = Tensor([mode], shape: [])
      if isConstant {
        sketch.constant("t", tensor)
      } else {
        sketch.input("t", nil, .bool)
        given.append(tensor)
      }
    }
    sketch.node("Dropout", ["x", "r"] + (mode == nil ? [] : ["t"]), ["y", "m"], [Attribute("seed", .int(0))])
    sketch.output("y", "m")
    return try sketch.run(given)
  }

  @Test(arguments: [true, false]) func trainingDropsWhatTheSeedSays(_ isConstant: Bool) throws {
    let results = try run(true, isConstant: isConstant)
    #expect(try results[1].numbers == [0, 1, 1, 0, 0, 1])
    try expectClose([results[0]], [Tensor([Float(0), 5, 7.5, 0, 0, 15])], tolerance: 1e-6)
  }

  @Test func inferenceDropsNothing() throws {
    for results in [
      try run(nil, isConstant: true), try run(false, isConstant: true), try run(false, isConstant: false),
    ] {
      #expect(try results[0].numbers == [1, 2, 3, 4, 5, 6])
      #expect(try results[1].numbers == [1, 1, 1, 1, 1, 1])
    }
  }

  @Test func theFirstVersionsTrainUnlessTold() throws {
    for isTest in [0, 1] {
      var sketch = GraphSketch(version: 6)
      sketch.input("x", nil)
      sketch.node(
        "Dropout", ["x"], ["y"], [Attribute("ratio", .float(0.6)), Attribute("is_test", .int(Int64(isTest)))])
      sketch.output("y")
      let zeros = try sketch.run([Tensor((1...6).map { Float($0) })])[0].numbers.count { $0 == 0 }
      #expect(zeros == (isTest == 1 ? 0 : 3))
    }
  }
}
