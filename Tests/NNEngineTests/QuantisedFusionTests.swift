import NNEngine
import NNFormat
import Testing

/// Quantised patterns that become one layer, against the same graph run operator by operator and against the reference.
@Suite struct QuantisedFusionTests {
  /// Runs with and without fusion on batches around the heights of tiles, compares, and returns the fused operators.
  private func check(
    _ sketch: GraphSketch, depth: Int, batches: [Int] = [1, 2, 7, 13, 33], tolerance: Double = 1e-5
  ) throws -> [String] {
    var random = SeededGenerator(3)
    for batch in batches {
      let input = random.floats([batch, depth])
      let plain = try sketch.run([input], options: EngineOptions(fusion: false))
      try expectClose(try sketch.run([input]), plain, tolerance: tolerance, "batch \(batch)")
      try expectClose(
        try sketch.run([input], options: EngineOptions(threads: 1)), try sketch.run([input]), tolerance: 0, "threads")
      if batch < 3, depth < 100 {
        let expected = try ReferenceInterpreter(sketch.model).run(["x": input]).map(\.tensor)
        try expectClose(plain, expected, tolerance: 2e-5, "plain, batch \(batch)")
      }
    }
    return try ExecutionPlan(sketch.model).stepDescriptions.map(\.operatorType)
  }

  private func sketch(_ depth: Int) -> GraphSketch {
    var sketch = GraphSketch()
    sketch.input("x", [.symbolic("n"), .known(depth)])
    return sketch
  }

  /// DynamicQuantizeLinear, MatMulInteger, Cast, Mul, Add, Relu as ONNX Runtime's quantiser writes them.
  @Test(arguments: [true, false], [0, 1, 9])
  func dynamicQuantisation(isSigned: Bool, zeros: Int) throws {
    for depth in [1, 5, 37, 300] {
      var random = SeededGenerator(7)
      var sketch = sketch(depth)
      sketch.constant(
        "w", isSigned ? random.codes(Int8.self, [depth, 9]) : random.codes(UInt8.self, [depth, 9]))
      sketch.constant("s", random.scales(zeros == 9 ? [9] : []))
      let shape = zeros == 9 ? [9] : []
      if zeros > 0 {
        sketch.constant("z", isSigned ? random.codes(Int8.self, shape) : random.codes(UInt8.self, shape))
      }
      sketch.constant("b", random.floats([9]))
      sketch.node("DynamicQuantizeLinear", ["x"], ["q", "qs", "qz"])
      sketch.node("MatMulInteger", ["q", "w", "qz"] + (zeros > 0 ? ["z"] : []), ["i"])
      sketch.node("Cast", ["i"], ["f"], [Attribute("to", .int(1))])
      sketch.node("Mul", ["qs", "s"], ["k"])
      sketch.node("Mul", ["f", "k"], ["m"])
      sketch.node("Add", ["m", "b"], ["a"])
      sketch.node("Relu", ["a"], ["y"])
      sketch.output("y")
      #expect(try check(sketch, depth: depth, tolerance: 1e-6) == ["IntegerDense+bias+relu"])
    }
  }

  /// Layers that follow each other: the range of a result is found as it is stored, also where two layers need it or the graph
  /// gives it out.
  @Test(arguments: ["", "Relu", "Tanh"])
  func dynamicLayersInARow(activation: String) throws {
    var random = SeededGenerator(17)
    var sketch = sketch(40)
    func layer(_ input: String, _ output: String, _ depth: Int, _ columns: Int) {
      let name = { (part: String) in "\(output)_\(part)" }
      sketch.constant(name("w"), random.codes(Int8.self, [depth, columns]))
      sketch.constant(name("s"), random.scales([columns]))
      sketch.constant(name("b"), random.floats([columns]))
      sketch.node("DynamicQuantizeLinear", [input], [name("q"), name("qs"), name("qz")])
      sketch.node("MatMulInteger", [name("q"), name("w"), name("qz")], [name("i")])
      sketch.node("Cast", [name("i")], [name("f")], [Attribute("to", .int(1))])
      sketch.node("Mul", [name("qs"), name("s")], [name("k")])
      sketch.node("Mul", [name("f"), name("k")], [name("m")])
      sketch.node("Add", [name("m"), name("b")], [output])
    }
    layer("x", "first", 40, 70)
    if !activation.isEmpty { sketch.node(activation, ["first"], ["h"]) }
    let hidden = activation.isEmpty ? "first" : "h"
    layer(hidden, "second", 70, 33)
    layer(hidden, "third", 70, 5)
    layer("second", "fourth", 33, 8)
    sketch.output("fourth", "third", "second")
    let operators = try check(sketch, depth: 40, batches: [1, 2, 7, 13, 33, 400], tolerance: 1e-6)
    #expect(operators.allSatisfy { $0.hasPrefix("IntegerDense+bias") } && operators.count == 4)
  }

  /// Rows that are quantised by their largest magnitude, as layers of Keras's int8 are lowered.
  @Test func rowsByTheirMagnitude() throws {
    for axis in [-1, 1] {
      var random = SeededGenerator(8)
      var sketch = sketch(21)
      sketch.constant("w", random.codes(Int8.self, [21, 18]))
      sketch.constant("s", random.floats([18], in: 10...100))
      sketch.constant("b", random.floats([18]))
      sketch.constant("axes", Tensor([Int64(axis)], shape: [1]))
      for (name, value) in [("epsilon", 1e-7), ("high", 127), ("low", -127)] as [(String, Float)] {
        sketch.constant(name, Tensor([value], shape: []))
      }
      sketch.node("Abs", ["x"], ["size"])
      sketch.node("ReduceMax", ["size", "axes"], ["largest"], [Attribute("keepdims", .int(1))])
      sketch.node("Add", ["largest", "epsilon"], ["bounded"])
      sketch.node("Div", ["high", "bounded"], ["scale"])
      sketch.node("Mul", ["x", "scale"], ["scaled"])
      sketch.node("Round", ["scaled"], ["rounded"])
      sketch.node("Clip", ["rounded", "low", "high"], ["clipped"])
      sketch.node("Cast", ["clipped"], ["q"], [Attribute("to", .int(3))])
      sketch.node("MatMulInteger", ["q", "w"], ["i"])
      sketch.node("Cast", ["i"], ["f"], [Attribute("to", .int(1))])
      sketch.node("Mul", ["s", "scale"], ["k"])
      sketch.node("Div", ["f", "k"], ["m"])
      sketch.node("Add", ["m", "b"], ["a"])
      sketch.node("Tanh", ["a"], ["y"])
      sketch.output("y")
      #expect(try check(sketch, depth: 21, tolerance: 1e-6) == ["IntegerDense+bias+tanh"])
    }
  }

  /// QDQ around Gemm with a transposed right side, scales of columns, a quantised bias and a quantised result.
  @Test(arguments: [true, false])
  func quantisedOnBothSides(isTransposed: Bool) throws {
    var random = SeededGenerator(9)
    var sketch = sketch(30)
    sketch.constant("xs", Tensor([Float(0.03)], shape: []))
    sketch.constant("xz", Tensor([UInt8(120)], shape: []))
    sketch.constant("ys", Tensor([Float(0.7)], shape: []))
    sketch.constant("yz", Tensor([Int8(-3)], shape: []))
    sketch.constant("w", random.codes(Int8.self, isTransposed ? [17, 30] : [30, 17]))
    sketch.constant("ws", random.scales([17]))
    sketch.constant("c", random.ints([17], in: -900...900))
    sketch.constant("cs", random.scales([17]))
    sketch.node("QuantizeLinear", ["x", "xs", "xz"], ["q"])
    sketch.node("DequantizeLinear", ["q", "xs", "xz"], ["xd"])
    let axis = Attribute("axis", .int(isTransposed ? 0 : 1))
    sketch.node("DequantizeLinear", ["w", "ws"], ["wd"], [axis])
    sketch.node("Cast", ["c"], ["ci"], [Attribute("to", .int(6))])
    sketch.node("DequantizeLinear", ["ci", "cs"], ["cd"], [Attribute("axis", .int(0))])
    sketch.node("Gemm", ["xd", "wd", "cd"], ["g"], [Attribute("transB", .int(isTransposed ? 1 : 0))])
    sketch.node("Relu", ["g"], ["r"])
    sketch.node("QuantizeLinear", ["r", "ys", "yz"], ["yq"])
    sketch.node("DequantizeLinear", ["yq", "ys", "yz"], ["y"])
    sketch.output("y")
    #expect(
      try check(sketch, depth: 30, tolerance: 0) == ["IntegerDense+bias+relu+quantise", "DequantizeLinear"])
  }

  /// A result that others read, too, stays what it is.
  @Test func valuesThatOthersReadStay() throws {
    var random = SeededGenerator(10)
    var sketch = sketch(12)
    sketch.constant("w", random.codes(Int8.self, [12, 5]))
    sketch.constant("s", random.scales([]))
    sketch.node("DynamicQuantizeLinear", ["x"], ["q", "qs", "qz"])
    sketch.node("MatMulInteger", ["q", "w", "qz"], ["i"])
    sketch.node("Cast", ["i"], ["f"], [Attribute("to", .int(1))])
    sketch.node("Mul", ["qs", "s"], ["k"])
    sketch.node("Mul", ["f", "k"], ["m"])
    sketch.node("Relu", ["m"], ["y"])
    sketch.output("y", "f")
    #expect(
      try check(sketch, depth: 12) == ["DynamicQuantizeLinear", "MatMulInteger", "Cast", "Mul", "Mul", "Relu"])
  }

  /// Contributed products with constant parameters.
  @Test func contributedProducts() throws {
    var random = SeededGenerator(11)
    var sketch = sketch(40)
    sketch.constant("w", random.codes(UInt8.self, [40, 19]))
    sketch.constant("s", random.scales([19]))
    sketch.constant("z", random.codes(UInt8.self, [19]))
    sketch.constant("b", random.floats([19]))
    sketch.node("DynamicQuantizeMatMul", domain: "com.microsoft", ["x", "w", "s", "z", "b"], ["m"])
    sketch.node("Sigmoid", ["m"], ["h"])
    sketch.constant("v", random.codes(Int8.self, [19, 6]))
    sketch.constant("vs", random.scales([]))
    sketch.node("DynamicQuantizeLinear", ["h"], ["q", "qs", "qz"])
    sketch.constant("vz", Tensor([Int8(4)], shape: []))
    sketch.node(
      "MatMulIntegerToFloat", domain: "com.microsoft", ["q", "v", "qs", "vs", "qz", "vz"], ["y"])
    sketch.output("y")
    #expect(try check(sketch, depth: 40, tolerance: 1e-6) == ["IntegerDense+bias+sigmoid", "IntegerDense"])
  }

  @Test func quantisedOperators() throws {
    var random = SeededGenerator(12)
    var sketch = sketch(33)
    sketch.constant("xs", Tensor([Float(0.02)], shape: []))
    sketch.constant("xz", Tensor([UInt8(128)], shape: []))
    sketch.constant("w", random.codes(Int8.self, [33, 20]))
    sketch.constant("ws", random.scales([20]))
    sketch.constant("wz", Tensor((0..<20).map { _ in Int8(0) }, shape: [20]))
    sketch.constant("hs", Tensor([Float(0.9)], shape: []))
    sketch.constant("hz", Tensor([UInt8(100)], shape: []))
    sketch.node("QuantizeLinear", ["x", "xs", "xz"], ["q"])
    sketch.node("QLinearMatMul", ["q", "xs", "xz", "w", "ws", "wz", "hs", "hz"], ["h"])
    sketch.constant("v", random.codes(UInt8.self, [7, 20]))
    sketch.constant("vs", Tensor([Float(0.05)], shape: []))
    sketch.constant("vz", Tensor([UInt8(99)], shape: []))
    sketch.constant("c", Tensor((0..<7).map { Int32($0 * 1000 - 3000) }, shape: [7]))
    sketch.constant("ys", Tensor([Float(1.7)], shape: []))
    sketch.constant("yz", Tensor([UInt8(12)], shape: []))
    sketch.node(
      "QGemm", domain: "com.microsoft", ["h", "hs", "hz", "v", "vs", "vz", "c", "ys", "yz"], ["g"],
      [Attribute("transB", .int(1)), Attribute("alpha", .float(0.5))])
    sketch.node("DequantizeLinear", ["g", "ys", "yz"], ["y"])
    sketch.output("y")
    #expect(
      try check(sketch, depth: 33, tolerance: 0) == [
        "QuantizeLinear", "IntegerDense+quantise", "IntegerDense+bias+quantise", "DequantizeLinear",
      ])
  }

  /// Enough weights to stay codes: of 8 bits by column, of 4 bits in blocks, bare codes, and packed bits.
  @Test func weightsThatStayCodes() throws {
    let (depth, columns) = (515, 129)
    var random = SeededGenerator(13)
    for form in 0..<4 {
      var sketch = sketch(depth)
      sketch.constant("b", random.floats([columns]))
      switch form {
      case 0:
        sketch.constant("w", random.codes(Int8.self, [depth, columns]))
        sketch.constant("s", random.scales([columns]))
        sketch.node("DequantizeLinear", ["w", "s"], ["d"])
        sketch.node("MatMul", ["x", "d"], ["m"])
      case 1:
        let codes = random.ints([depth, columns], in: 0...15)
        sketch.constant("i", codes)
        sketch.constant("z", random.ints([(depth + 31) / 32, columns], in: 0...15))
        sketch.constant("s", random.scales([(depth + 31) / 32, columns]))
        for (source, target) in [("i", "w"), ("z", "wz")] {
          sketch.node("Cast", [source], [target], [Attribute("to", .int(21))])
        }
        sketch.node(
          "DequantizeLinear", ["w", "s", "wz"], ["d"],
          [Attribute("axis", .int(0)), Attribute("block_size", .int(32))])
        sketch.node("Gemm", ["x", "d"], ["m"])
      case 2:
        sketch.constant("w", random.codes(Int8.self, [depth, columns]))
        sketch.node("Cast", ["w"], ["d"], [Attribute("to", .int(1))])
        sketch.node("MatMul", ["x", "d"], ["m"])
      default:
        let blocks = (depth + 31) / 32
        sketch.constant("w", random.codes(UInt8.self, [columns, blocks, 16]))
        sketch.constant("s", random.scales([columns * blocks]))
        sketch.node(
          "MatMulNBits", domain: "com.microsoft", ["x", "w", "s"], ["m"],
          [("K", depth), ("N", columns), ("bits", 4), ("block_size", 32)].map { Attribute($0.0, .int(Int64($0.1))) })
      }
      sketch.node("Add", ["m", "b"], ["a"])
      sketch.node("Relu", ["a"], ["y"])
      sketch.output("y")
      let steps = try check(sketch, depth: depth, batches: [1, 6, 19, 40])
      #expect(steps == ["CodeDense+bias+relu"], "form \(form)")
    }
  }
}
