import NNEngine
import NNFormat

/// Elementary functions, roundings, tests, remainders and bit operations.
extension OperatorCases {
  static var elementary: [OperatorCase] { functions + roundings + remainders + bits }

  private static var functions: [OperatorCase] {
    var random = SeededGenerator(31)
    let domains: [(String, ClosedRange<Float>)] = [
      ("Sin", -9...9), ("Cos", -9...9), ("Tan", -1.4...1.4), ("Asin", -1...1), ("Acos", -1...1), ("Atan", -9...9),
      ("Sinh", -4...4), ("Cosh", -4...4), ("Asinh", -9...9), ("Acosh", 1...9), ("Atanh", -0.9...0.9),
    ]
    return domains.flatMap { name, range in
      let doubles = Double(range.lowerBound)...Double(range.upperBound)
      return [
        OperatorCase(type: name, inputs: [random.floats([3, 17], in: range)]),
        OperatorCase(type: name, inputs: [random.floats([], in: range)], version: 9),
        OperatorCase(type: name, inputs: [random.doubles([0, 3], in: doubles)]),
        OperatorCase(type: name, inputs: [random.doubles([23], in: doubles)], tolerance: 1e-12),
        OperatorCase(type: name, inputs: [half(random.doubles([23], in: doubles), .float16)], tolerance: 2e-3),
        OperatorCase(type: name, inputs: [half(random.doubles([23], in: doubles), .bfloat16)], tolerance: 1e-2),
      ]
    }
  }

  private static var roundings: [OperatorCase] {
    var random = SeededGenerator(32)
    let edges = Tensor([Float(-2.5), -1.5, -0.5, 0.5, 1.5, 2.5, -0.0, .infinity, -.infinity, .nan, 1e9, -2.3])
    var cases: [OperatorCase] = []
    for name in ["Floor", "Ceil", "Round", "IsNaN", "IsInf"] {
      cases.append(OperatorCase(type: name, inputs: [edges]))
      cases.append(OperatorCase(type: name, inputs: [random.doubles([5, 9], in: -9...9)]))
      cases.append(OperatorCase(type: name, inputs: [half(random.doubles([19], in: -9...9), .float16)]))
      cases.append(OperatorCase(type: name, inputs: [half(random.doubles([19], in: -9...9), .bfloat16)]))
    }
    for name in ["detect_negative", "detect_positive"] {
      cases.append(OperatorCase(type: "IsInf", inputs: [edges], attributes: [Attribute(name, .int(0))], note: name))
    }
    let bounds = [Attribute("bias", .float(0.75)), Attribute("lambd", .float(1.25))]
    for attributes in [[], bounds] {
      cases.append(OperatorCase(type: "Shrink", inputs: [random.floats([33])], attributes: attributes))
      cases.append(
        OperatorCase(type: "Shrink", inputs: [random.doubles([33])], attributes: attributes, tolerance: 1e-12))
      cases.append(OperatorCase(type: "Shrink", inputs: [random.ints([33], in: -5...5)], attributes: attributes))
    }
    return cases
  }

  private static var remainders: [OperatorCase] {
    var random = SeededGenerator(33)
    var cases: [OperatorCase] = []
    for truncates in [0, 1] {
      let attributes = [Attribute("fmod", .int(Int64(truncates)))]
      cases.append(
        OperatorCase(
          type: "Mod", inputs: [random.ints([4, 9], in: -20...20), Tensor([Int64(-7), 7, 3, -1, 5, 2, -2, 9, -9])],
          attributes: attributes))
      cases.append(
        OperatorCase(type: "Mod", inputs: [Tensor([UInt8(9), 7, 250]), Tensor([UInt8(4)])], attributes: attributes))
      cases.append(
        OperatorCase(
          type: "Mod", inputs: [Tensor([Int8(-128), 127, -5]), Tensor([Int8(-1), -2, 3])], attributes: attributes))
      cases.append(
        OperatorCase(
          type: "Mod", inputs: [random.doubles([41], in: -9...9), random.doubles([41], in: 0.5...3)],
          attributes: attributes, tolerance: 1e-12))
      cases.append(
        OperatorCase(
          type: "Mod", inputs: [random.floats([3, 5], in: -9...9), Tensor([Float(-1.5), 2, -4, 0.25, 1])],
          attributes: attributes))
    }
    for alpha in [[], [Attribute("alpha", .float(0.5))]] {
      let inputs = [random.floats([3, 21], in: -4...4), random.floats([3, 21])]
      cases.append(OperatorCase(type: "SwiGLU", inputs: inputs, attributes: alpha, version: 28))
      cases.append(
        OperatorCase(
          type: "SwiGLU", inputs: [random.doubles([9]), random.doubles([9])], attributes: alpha, version: 28,
          tolerance: 1e-12))
    }
    return cases
  }

  private static var bits: [OperatorCase] {
    let (x, y) = (Tensor([Int8(-128), -5, 0, 7, 127, 85], shape: [2, 3]), Tensor([Int8(-1), 3, -86]))
    let (u, v) = (Tensor([UInt16(65535), 0, 4660, 255]), Tensor([UInt16(1), 15, 3, 0]))
    var cases = ["BitwiseAnd", "BitwiseOr", "BitwiseXor"].flatMap { name in
      [OperatorCase(type: name, inputs: [x, y]), OperatorCase(type: name, inputs: [u, v])]
    }
    cases += [OperatorCase(type: "BitwiseNot", inputs: [x]), OperatorCase(type: "BitwiseNot", inputs: [u])]
    for direction in ["LEFT", "RIGHT"] {
      let attributes = [Attribute("direction", .text(direction))]
      cases.append(OperatorCase(type: "BitShift", inputs: [u, v], attributes: attributes))
      cases.append(OperatorCase(type: "BitShift", inputs: [u, Tensor([UInt16(16)])], attributes: attributes))
      cases.append(
        OperatorCase(type: "BitShift", inputs: [x, Tensor([Int8(1), -1, 8])], attributes: attributes, version: 28))
    }
    return cases
  }
}
