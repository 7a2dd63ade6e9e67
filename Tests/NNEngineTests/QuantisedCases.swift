import NNEngine
import NNFormat

extension SeededGenerator {
  /// Random numbers over the whole range of an integer type.
  mutating func codes<Code: FixedWidthInteger & TensorScalar>(_: Code.Type, _ shape: [Int]) -> Tensor {
    Tensor((0..<shape.reduce(1, *)).map { _ in Code.random(in: Code.min...Code.max, using: &self) }, shape: shape)
  }

  mutating func scales(_ shape: [Int]) -> Tensor { floats(shape, in: 0.01...0.1) }
}

/// Cases of quantised operators, by family.
extension OperatorCases {
  static var quantised: [OperatorCase] { linear + products + contributedProducts + codeFunctions + bits }

  private static func int(_ name: String, _ value: Int) -> Attribute { Attribute(name, .int(Int64(value))) }

  private static var linear: [OperatorCase] {
    var random = SeededGenerator(31)
    var cases: [OperatorCase] = []
    func both<Code: FixedWidthInteger & TensorScalar>(
      _: Code.Type, _ data: [Int], _ scale: [Int], _ attributes: [Attribute] = [], hasZero: Bool = true
    ) {
      let (scales, zeros) = (random.scales(scale), hasZero ? random.codes(Code.self, scale) : nil)
      let isPlain = hasZero || Code.self == UInt8.self
      if isPlain {
        cases.append(
          OperatorCase(
            type: "QuantizeLinear", inputs: [random.floats(data, in: -9...9), scales, zeros], attributes: attributes,
            tolerance: 0))
      }
      for constants in [Set<Int>(), [0, 1, 2]] {
        cases.append(
          OperatorCase(
            type: "DequantizeLinear", inputs: [random.codes(Code.self, data), scales, zeros], attributes: attributes,
            constants: constants))
      }
    }
    both(UInt8.self, [5, 3], [])
    both(UInt8.self, [7, 13], [], hasZero: false)
    both(Int8.self, [0, 3], [1])
    both(Int16.self, [3, 4, 5], [4])
    both(UInt16.self, [3, 4, 5], [5], [int("axis", -1)])
    both(Int8.self, [3, 4, 5], [3], [int("axis", 0)])
    both(UInt8.self, [4, 6, 5], [4, 3, 5], [int("axis", 1), int("block_size", 2)])
    both(UInt8.self, [4, 7], [4, 3], [int("axis", 1), int("block_size", 3)])
    both(Int8.self, [7, 4], [3, 4], [int("axis", 0), int("block_size", 3)])
    let half16 = half(random.doubles([7, 3]), .float16)
    let scale = half(Tensor([0.07], shape: []), .float16)
    cases.append(OperatorCase(type: "QuantizeLinear", inputs: [half16, scale], tolerance: 0))
    cases.append(
      OperatorCase(type: "DequantizeLinear", inputs: [random.codes(Int8.self, [9]), scale], tolerance: 1e-3))
    let sums = Tensor((0..<9).map { Int32($0 * 7000 - 20000) }, shape: [9])
    cases.append(OperatorCase(type: "DequantizeLinear", inputs: [sums, random.scales([])]))
    for shape in [[1], [5, 17], [0, 3], []] {
      cases.append(OperatorCase(type: "DynamicQuantizeLinear", inputs: [random.floats(shape)], outputs: 3))
    }
    cases.append(OperatorCase(type: "DynamicQuantizeLinear", inputs: [random.floats([9], in: 1...2)], outputs: 3))
    cases.append(OperatorCase(type: "DynamicQuantizeLinear", inputs: [Tensor([Float(0), 0])], outputs: 3))
    return cases
  }

  private static var products: [OperatorCase] {
    var random = SeededGenerator(32)
    var cases: [OperatorCase] = []
    let shapes: [([Int], [Int])] = [
      ([1, 3], [3, 1]), ([4, 33], [33, 7]), ([2, 3, 5], [5, 4]), ([2, 1, 3, 5], [3, 5, 2]),
      ([3, 0], [0, 2]), ([0, 3], [3, 2]),
    ]
    for (left, right) in shapes {
      for constants in [Set<Int>(), [1, 3]] {
        let b = random.codes(Int8.self, right)
        let (rows, columns) = ([left[left.count - 2]], [right[right.count - 1]])
        for zeros in [[nil, nil], [[], []], [rows, columns]] as [[[Int]?]] {
          cases.append(
            OperatorCase(
              type: "MatMulInteger",
              inputs: [
                random.codes(UInt8.self, left), b, zeros[0].map { random.codes(UInt8.self, $0) },
                zeros[1].map { random.codes(Int8.self, $0) },
              ], constants: constants, tolerance: 0))
        }
        cases.append(
          OperatorCase(
            type: "QLinearMatMul",
            inputs: [
              random.codes(Int8.self, left), random.scales([]), random.codes(Int8.self, []), b, random.scales(columns),
              random.codes(Int8.self, columns), random.scales([]), random.codes(Int8.self, []),
            ], constants: constants.isEmpty ? [] : [3, 4, 5], tolerance: 0))
      }
    }
    return cases
  }

  private static var contributedProducts: [OperatorCase] {
    var random = SeededGenerator(33)
    var cases: [OperatorCase] = []
    for (rows, depth, columns) in [(1, 5, 3), (6, 40, 9)] {
      for constants in [Set<Int>(), [1, 2, 3, 4, 5, 6, 7, 8]] {
        let a = random.codes(UInt8.self, [rows, depth])
        let b = random.codes(Int8.self, [depth, columns])
        let (scales, bias) = (random.scales([columns]), random.floats([columns]))
        let zeros = random.codes(Int8.self, [columns])
        for inputs in [[b, scales, nil, nil], [b, scales, zeros, bias], [b, random.scales([1]), nil, bias]] {
          cases.append(
            OperatorCase(
              type: "DynamicQuantizeMatMul", domain: "com.microsoft", inputs: [random.floats([rows, depth])] + inputs,
              constants: constants))
        }
        cases.append(
          OperatorCase(
            type: "MatMulIntegerToFloat", domain: "com.microsoft",
            inputs: [a, b, random.scales([]), scales, random.codes(UInt8.self, []), zeros, bias], constants: constants))
        let c = Tensor((0..<columns).map { Int32($0 * 31 - 100) })
        for (transA, transB) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
          let left = random.codes(UInt8.self, transA == 1 ? [depth, rows] : [rows, depth])
          let right = random.codes(Int8.self, transB == 1 ? [columns, depth] : [depth, columns])
          let common = [left, random.scales([]), random.codes(UInt8.self, []), right, scales, zeros]
          let attributes = [int("transA", transA), int("transB", transB), Attribute("alpha", .float(1.5))]
          let constants = constants.subtracting(transB == 1 ? [5] : [])
          cases.append(
            OperatorCase(
              type: "QGemm", domain: "com.microsoft", inputs: common + [c], attributes: attributes,
              constants: constants))
          cases.append(
            OperatorCase(
              type: "QGemm", domain: "com.microsoft",
              inputs: common + [nil, random.floats([], in: 1...2), random.codes(UInt8.self, [])],
              attributes: attributes, constants: constants, tolerance: 0))
        }
      }
    }
    return cases
  }

  private static var codeFunctions: [OperatorCase] {
    var random = SeededGenerator(34)
    var cases: [OperatorCase] = []
    func add<Code: FixedWidthInteger & TensorScalar>(_: Code.Type) {
      func scaling(_ scale: Float? = nil) -> [Tensor?] {
        [scale.map { Tensor([$0], shape: []) } ?? random.scales([]), random.codes(Code.self, [])]
      }
      func append(_ type: String, _ inputs: [Tensor?], _ attributes: [Attribute] = []) {
        cases.append(
          OperatorCase(type: type, domain: "com.microsoft", inputs: inputs, attributes: attributes, tolerance: 0))
      }
      for (x, y) in [([5], [5]), ([3, 17], [17]), ([3, 1], [1, 4]), ([2, 3], [1]), ([0, 3], [3])] {
        let operands = [[random.codes(Code.self, x)], scaling(), [random.codes(Code.self, y)], scaling()]
        append("QLinearAdd", operands.flatMap { $0 } + scaling(0.0931))
        append("QLinearMul", operands.flatMap { $0 } + scaling(0.0573))
      }
      append("QLinearSigmoid", [random.codes(Code.self, [4, 33])] + scaling(0.0317) + scaling(1 / 256))
      append(
        "QLinearLeakyRelu", [random.codes(Code.self, [300])] + scaling() + scaling(), [Attribute("alpha", .float(0.2))])
      let lowest = Tensor([Code.min], shape: [])
      for (axis, opset) in [(-1, 13), (1, 13), (1, 12)] {
        append(
          "QLinearSoftmax",
          [random.codes(Code.self, [3, 5, 4])] + scaling(0.0413) + [Tensor([Float(1) / 256], shape: []), lowest],
          [int("axis", axis), int("opset", opset)])
      }
      let same = scaling()
      append(
        "QLinearConcat",
        same + [random.codes(Code.self, [3, 2, 2])] + same + [random.codes(Code.self, [3, 5, 2])] + scaling(),
        [int("axis", 1)])
    }
    add(UInt8.self)
    add(Int8.self)
    return cases
  }

  private static var bits: [OperatorCase] {
    var random = SeededGenerator(35)
    var cases: [OperatorCase] = []
    for (bits, size, depth, columns) in [(4, 16, 40, 5), (8, 16, 32, 33), (2, 32, 70, 6), (4, 32, 3, 1)] {
      let blocks = (depth + size - 1) / size
      let weights = random.codes(UInt8.self, [columns, blocks, size * bits / 8])
      let scales = random.scales([columns, blocks])
      let packed = random.codes(UInt8.self, [columns, (blocks * bits + 7) / 8])
      let order = Tensor((0..<depth).map { Int32(($0 * 7) % blocks) })
      let zeros = random.floats([columns, blocks], in: 0...15)
      let bias = random.floats([columns])
      let forms: [[Tensor?]] = [[], [packed], [zeros], [nil, order], [packed, nil, bias], [nil, nil, bias]]
      for (form, constants) in forms.flatMap({ form in [Set<Int>(), [1, 2, 3, 4, 5]].map { (form, $0) } }) {
        let attributes = [int("K", depth), int("N", columns), int("bits", bits), int("block_size", size)]
        cases.append(
          OperatorCase(
            type: "MatMulNBits", domain: "com.microsoft",
            inputs: [random.floats([2, 3, depth]), weights, scales] + form,
            attributes: attributes, constants: constants))
      }
    }
    return cases
  }
}
