import NNEngine
import NNFormat

/// One call of an operator with concrete inputs; inputs named in `constants` are initializers.
struct OperatorCase: CustomStringConvertible, Sendable {
  var type: String
  var domain = ""
  var inputs: [Tensor?]
  var attributes: [Attribute] = []
  var outputs = 1
  var constants: Set<Int> = []
  var version = 21
  var tolerance = 1e-5
  var note = ""

  var description: String {
    "\(type) \(inputs.map { $0.map { "\($0.elementType.name)\($0.shape)" } ?? "-" }) v\(version) \(note)"
  }

  /// The graph, and the tensors for its inputs in order.
  var sketch: (graph: GraphSketch, inputs: [Tensor]) {
    var sketch = GraphSketch(version: version)
    var given: [Tensor] = []
    var names: [String] = []
    for (index, tensor) in inputs.enumerated() {
      guard let tensor else {
        names.append("")
        continue
      }
      let name = "x\(index)"
      names.append(name)
      if constants.contains(index) {
        sketch.constant(name, tensor)
      } else {
        sketch.input(name, nil, tensor.elementType)
        given.append(tensor)
      }
    }
    let outputs = (0..<outputs).map { "y\($0)" }
    sketch.node(type, domain: domain, names, outputs, attributes)
    for name in outputs { sketch.graph.outputs.append(Value(name: name)) }
    return (sketch, given)
  }
}

extension OperatorCase {
  /// What the engine makes of it.
  func results() throws -> [Tensor] {
    let (sketch, inputs) = sketch
    return try sketch.run(inputs)
  }
}

/// Cases for the operators, by family.
enum OperatorCases {
  static let all = [
    unary, binary, matrices, rows, reductions, layout, generators, quantised, elementary, normalizations, legacy,
    contributed, indexing, padding, selection, losses, attention, pooling,
  ].flatMap { $0 }

  static var unary: [OperatorCase] {
    var random = SeededGenerator(11)
    let names = [
      "Relu", "LeakyRelu", "Elu", "Selu", "Celu", "Sigmoid", "HardSigmoid", "Tanh", "Softplus", "Softsign", "Gelu",
      "ThresholdedRelu", "Mish", "HardSwish", "Swish", "Exp", "Abs", "Neg", "Sign", "Erf", "Identity", "Dropout",
    ]
    var cases: [OperatorCase] = []
    for name in names {
      let version = name == "Swish" ? 24 : 21
      for shape in [[], [0, 3], [7], [3, 1, 17], [129]] {
        cases.append(OperatorCase(type: name, inputs: [random.floats(shape, in: -4...4)], version: version))
      }
      cases.append(OperatorCase(type: name, inputs: [random.doubles([5, 3])], version: version, tolerance: 1e-12))
      let narrow = half(random.doubles([33]), .float16)
      cases.append(OperatorCase(type: name, inputs: [narrow], version: version, tolerance: 2e-3))
      cases.append(
        OperatorCase(type: name, inputs: [half(random.doubles([9]), .bfloat16)], version: version, tolerance: 1e-2))
    }
    for name in ["Log", "Sqrt", "Reciprocal"] {
      cases.append(OperatorCase(type: name, inputs: [random.floats([3, 21], in: 0.1...9)]))
      cases.append(OperatorCase(type: name, inputs: [random.doubles([21], in: 0.1...9)], tolerance: 1e-12))
    }
    for name in ["Relu", "Abs", "Neg", "Sign"] {
      cases.append(OperatorCase(type: name, inputs: [random.ints([13], in: -5...5)]))
    }
    let alpha = Attribute("alpha", .float(0.37))
    for name in ["LeakyRelu", "Elu", "Selu", "Celu", "HardSigmoid", "ThresholdedRelu", "Swish"] {
      cases.append(
        OperatorCase(
          type: name, inputs: [random.floats([19])], attributes: [alpha], version: name == "Swish" ? 24 : 21,
          note: "alpha"))
    }
    cases.append(
      OperatorCase(type: "Gelu", inputs: [random.floats([31])], attributes: [Attribute("approximate", .text("tanh"))]))
    cases.append(OperatorCase(type: "Not", inputs: [random.bools([9])]))
    for type in [ElementType.float64, .float16, .int64, .int8, .bool] {
      let to = Attribute("to", .int(Int64(type.rawValue)))
      cases.append(OperatorCase(type: "Cast", inputs: [random.floats([23])], attributes: [to], tolerance: 1e-3))
      cases.append(OperatorCase(type: "Cast", inputs: [random.ints([23], in: -3...3)], attributes: [to]))
      cases.append(OperatorCase(type: "Cast", inputs: [random.bools([23])], attributes: [to]))
    }
    return cases
  }

  static var binary: [OperatorCase] {
    var random = SeededGenerator(12)
    let shapes: [([Int], [Int])] = [
      ([5], [5]), ([3, 17], [17]), ([17], [3, 17]), ([4, 1, 5], [3, 1]), ([2, 3], []), ([0, 3], [3]),
      ([3, 1], [1, 4]),
      ([2, 3, 4, 5], [3, 1, 5]), ([6, 1], [6, 33]),
    ]
    var cases: [OperatorCase] = []
    for (x, y) in shapes {
      for name in ["Add", "Sub", "Mul", "Div", "Sum", "Mean", "Max", "Min", "PRelu"] {
        guard name != "PRelu" || y.count <= x.count else { continue }
        cases.append(OperatorCase(type: name, inputs: [random.floats(x), random.floats(y, in: 0.5...2)]))
        cases.append(
          OperatorCase(type: name, inputs: [random.doubles(x), random.doubles(y, in: 0.5...2)], tolerance: 1e-12))
      }
      for name in ["Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal", "Add", "Sub", "Mul", "Max", "Min"] {
        cases.append(OperatorCase(type: name, inputs: [random.ints(x, in: -3...3), random.ints(y, in: -3...3)]))
      }
      for name in ["Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"] {
        cases.append(OperatorCase(type: name, inputs: [random.floats(x), random.floats(y)]))
      }
      for name in ["And", "Or", "Xor"] {
        cases.append(OperatorCase(type: name, inputs: [random.bools(x), random.bools(y)]))
      }
      cases.append(OperatorCase(type: "Pow", inputs: [random.floats(x, in: 0.1...2), random.floats(y)]))
      cases.append(OperatorCase(type: "Pow", inputs: [random.floats(x), random.ints(y, in: 0...3)]))
      cases.append(OperatorCase(type: "Where", inputs: [random.bools(x), random.floats(y), random.floats([1])]))
      cases.append(
        OperatorCase(type: "Where", inputs: [random.bools(y), random.ints(x, in: 0...9), random.ints([], in: 0...9)]))
    }
    cases.append(OperatorCase(type: "Div", inputs: [random.ints([9], in: -9...9), random.ints([9], in: 1...4)]))
    for name in ["Sum", "Mean", "Max", "Min"] {
      cases.append(OperatorCase(type: name, inputs: [random.floats([3, 5])]))
      cases.append(
        OperatorCase(type: name, inputs: [random.floats([3, 5]), random.floats([5]), random.floats([3, 1])]))
    }
    for constants in [Set<Int>(), [1, 2]] {
      cases.append(
        OperatorCase(
          type: "Clip",
          inputs: [random.floats([33]), Tensor([Float(-0.5)], shape: []), Tensor([Float(0.7)], shape: [])],
          constants: constants))
    }
    cases.append(OperatorCase(type: "Clip", inputs: [random.floats([9]), nil, Tensor([Float(0.1)], shape: [])]))
    cases.append(OperatorCase(type: "Clip", inputs: [random.ints([9], in: -9...9), Tensor([Int64(-2)], shape: [])]))
    cases.append(
      OperatorCase(
        type: "Clip", inputs: [random.floats([9])],
        attributes: [Attribute("min", .float(-0.3)), Attribute("max", .float(0.3))],
        version: 6))
    return cases
  }

  static var matrices: [OperatorCase] {
    var random = SeededGenerator(13)
    var cases: [OperatorCase] = []
    let products: [([Int], [Int])] = [
      ([3, 5], [5, 7]), ([1, 33], [33, 65]), ([5], [5, 7]), ([3, 5], [5]), ([5], [5]), ([2, 3, 5], [5, 4]),
      ([2, 1, 3, 5], [4, 5, 2]), ([0, 5], [5, 3]), ([13, 600], [600, 37]), ([2, 0], [0, 3]),
    ]
    for (x, y) in products {
      for constants in [Set<Int>(), [1]] {
        cases.append(OperatorCase(type: "MatMul", inputs: [random.floats(x), random.floats(y)], constants: constants))
      }
      cases.append(OperatorCase(type: "MatMul", inputs: [random.doubles(x), random.doubles(y)], tolerance: 1e-12))
    }
    cases.append(
      OperatorCase(type: "MatMul", inputs: [random.ints([2, 3], in: -4...4), random.ints([3, 2], in: -4...4)]))
    let factors = [Attribute("alpha", .float(0.7)), Attribute("beta", .float(1.3))]
    for (transA, transB) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
      let attributes = [Attribute("transA", .int(Int64(transA))), Attribute("transB", .int(Int64(transB)))]
      for offset in [nil, [7], [4, 7], [4, 1], []] as [[Int]?] {
        for constants in [Set<Int>(), [1, 2], [1]] {
          cases.append(
            OperatorCase(
              type: "Gemm",
              inputs: [
                random.floats(transA == 1 ? [5, 4] : [4, 5]), random.floats(transB == 1 ? [7, 5] : [5, 7]),
                offset.map { random.floats($0) },
              ], attributes: attributes + factors, constants: constants))
        }
      }
      cases.append(
        OperatorCase(
          type: "Gemm",
          inputs: [
            random.doubles(transA == 1 ? [5, 4] : [4, 5]), random.doubles(transB == 1 ? [7, 5] : [5, 7]),
            random.doubles([7]),
          ], attributes: attributes, tolerance: 1e-12))
    }
    for (equation, shapes) in [
      ("ij,jk->ik", [[3, 4], [4, 5]]), ("bij,bjk->bik", [[2, 3, 4], [2, 4, 5]]), ("ij->ji", [[3, 4]]),
      ("ij->", [[3, 4]]),
      ("...ij,...jk->...ik", [[2, 3, 4], [4, 5]]), ("i...->...", [[3, 2, 2]]), ("...ii->...i", [[2, 3, 3]]),
      ("ij,jk", [[3, 4], [4, 5]]), ("ba", [[2, 3]]), (",i->i", [[], [4]]),
      ("ij,jk,kl->il", [[2, 3], [3, 4], [4, 2]]),
      ("i,j->ij", [[0], [3]]), ("ij->i", [[2, 0]]), ("i,i->", [[6], [6]]), ("ii->i", [[4, 4]]),
      ("abc,cd->abd", [[2, 3, 4], [4, 5]]),
    ] as [(String, [[Int]])] {
      cases.append(
        OperatorCase(
          type: "Einsum", inputs: shapes.map { random.floats($0) },
          attributes: [Attribute("equation", .text(equation))],
          note: equation))
    }
    return cases
  }

  static var rows: [OperatorCase] {
    var random = SeededGenerator(14)
    var cases: [OperatorCase] = []
    for name in ["Softmax", "LogSoftmax"] {
      for shape in [[3, 7], [1, 1], [2, 3, 33], [0, 4]] {
        for version in [1, 11, 13] {
          cases.append(OperatorCase(type: name, inputs: [random.floats(shape)], version: version))
        }
        cases.append(OperatorCase(type: name, inputs: [random.floats(shape)], attributes: [Attribute("axis", .int(0))]))
        cases.append(OperatorCase(type: name, inputs: [random.doubles(shape)], tolerance: 1e-12))
      }
    }
    for shape in [[3, 5], [2, 5, 3], [2, 5, 2, 2]] {
      cases.append(
        OperatorCase(
          type: "BatchNormalization",
          inputs: [random.floats(shape)] + (0..<4).map { _ in random.floats([5], in: 0.5...2) }))
    }
    for (shape, axis) in [([3, 5], -1), ([2, 3, 33], -1), ([2, 3, 4], 1)] {
      let row = Array(shape.dropFirst(axis < 0 ? shape.count - 1 : axis))
      for offset in [nil, row] {
        let attributes = [Attribute("axis", .int(Int64(axis)))]
        cases.append(
          OperatorCase(
            type: "LayerNormalization",
            inputs: [random.floats(shape), random.floats(row), offset.map { random.floats($0) }], attributes: attributes
          ))
        cases.append(
          OperatorCase(
            type: "LayerNormalization",
            inputs: [random.doubles(shape), random.doubles(row), offset.map { random.doubles($0) }],
            attributes: attributes, tolerance: 1e-11))
      }
    }
    return cases
  }
}

/// A tensor in 16 bits.
func half(_ tensor: Tensor, _ type: ElementType) -> Tensor {
  let values = (try? tensor.elements(as: Double.self)) ?? []
  return (try? ReferenceTensor(type, tensor.shape, values).tensor()) ?? tensor
}
