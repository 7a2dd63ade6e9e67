import NNEngine
import NNFormat

/// Normalisations in all their forms.
extension OperatorCases {
  static var normalizations: [OperatorCase] { batches + groups + rootMeanSquares + axes }

  private static var batches: [OperatorCase] {
    var random = SeededGenerator(41)
    var cases: [OperatorCase] = []
    func parameters(_ shape: [Int]) -> [Tensor] { (0..<4).map { _ in random.floats(shape, in: 0.5...2) } }
    let training = [Attribute("training_mode", .int(1)), Attribute("momentum", .float(0.7))]
    for shape in [[6, 5], [2, 5, 3], [2, 5, 2, 2]] {
      cases.append(
        OperatorCase(
          type: "BatchNormalization", inputs: [random.floats(shape)] + parameters([5]), attributes: training,
          outputs: 3, version: 15))
      for version in [7, 9] {
        cases.append(
          OperatorCase(
            type: "BatchNormalization", inputs: [random.floats(shape)] + parameters([5]), outputs: 5,
            version: version, note: "training"))
      }
      for version in [1, 6, 7] {
        let attributes = [
          Attribute("spatial", .int(0)), Attribute("is_test", .int(1)), Attribute("consumed_inputs", .ints([0, 0])),
        ]
        cases.append(
          OperatorCase(
            type: "BatchNormalization",
            inputs: [random.floats(shape)] + parameters(Array(shape.dropFirst())),
            attributes: Array(attributes.prefix(version == 7 ? 1 : version == 6 ? 2 : 3)), version: version,
            note: "a value a place"))
      }
    }
    cases.append(
      OperatorCase(
        type: "BatchNormalization",
        inputs: [random.doubles([6, 5])] + (0..<4).map { _ in random.doubles([5], in: 0.5...2) }, attributes: training,
        outputs: 3, version: 15, tolerance: 1e-7))
    return cases
  }

  private static var groups: [OperatorCase] {
    var random = SeededGenerator(42)
    var cases: [OperatorCase] = []
    for shape in [[2, 6, 5], [3, 6], [2, 6, 3, 2], [0, 6, 2]] {
      for count in [1, 2, 3, 6] {
        let attributes = [Attribute("num_groups", .int(Int64(count))), Attribute("epsilon", .float(0.01))]
        for version in [18, 21] {
          let parameters = [version == 18 ? count : 6]
          cases.append(
            OperatorCase(
              type: "GroupNormalization",
              inputs: [random.floats(shape), random.floats(parameters), random.floats(parameters)],
              attributes: attributes, version: version, tolerance: 1e-4))
        }
      }
      cases.append(
        OperatorCase(
          type: "InstanceNormalization", inputs: [random.doubles(shape), random.doubles([6]), random.doubles([6])],
          tolerance: 1e-6))
      cases.append(
        OperatorCase(
          type: "InstanceNormalization", inputs: [random.floats(shape), random.floats([6]), random.floats([6])],
          tolerance: 1e-4))
    }
    return cases
  }

  private static var rootMeanSquares: [OperatorCase] {
    var random = SeededGenerator(43)
    var cases: [OperatorCase] = []
    for (shape, axis, scale) in [
      ([3, 5], -1, [5]), ([2, 3, 33], -1, [33]), ([2, 3, 4], 1, [3, 4]), ([2, 3, 4], 1, [4]), ([2, 3, 4], 0, [1]),
      ([2, 3, 4], -1, [3, 1]),
    ] {
      let attributes = [Attribute("axis", .int(Int64(axis)))]
      cases.append(
        OperatorCase(
          type: "RMSNormalization", inputs: [random.floats(shape), random.floats(scale)], attributes: attributes,
          version: 23))
      cases.append(
        OperatorCase(
          type: "RMSNormalization", inputs: [random.doubles(shape), random.doubles(scale)], attributes: attributes,
          version: 23, tolerance: 1e-10))
      for version in [11, 17] {
        cases.append(
          OperatorCase(
            type: "LayerNormalization", inputs: [random.floats(shape), random.floats(scale), random.floats([1])],
            attributes: attributes, outputs: 3, version: version, note: "statistics"))
      }
    }
    return cases
  }

  private static var axes: [OperatorCase] {
    var random = SeededGenerator(44)
    var cases: [OperatorCase] = []
    for axis in [0, 1, -1] {
      let attribute = Attribute("axis", .int(Int64(axis)))
      for version in [1, 11, 13] where version >= 11 || axis >= 0 {
        cases.append(
          OperatorCase(
            type: "Hardmax", inputs: [random.floats([3, 4, 5])], attributes: [attribute], version: version))
      }
      cases.append(
        OperatorCase(
          type: "Hardmax", inputs: [Tensor([Float(1), 3, 3, 2, 3, 3], shape: [2, 3])], attributes: [attribute],
          note: "ties"))
      for order in [1, 2] {
        cases.append(
          OperatorCase(
            type: "LpNormalization", inputs: [random.floats([3, 4, 5])],
            attributes: [attribute, Attribute("p", .int(Int64(order)))]))
      }
    }
    cases.append(OperatorCase(type: "Hardmax", inputs: [random.floats([2, 7])], version: 11))
    cases.append(OperatorCase(type: "LpNormalization", inputs: [Tensor([Double](repeating: 0, count: 4))]))
    cases.append(OperatorCase(type: "MeanVarianceNormalization", inputs: [random.floats([2, 3, 4, 2])], version: 13))
    cases.append(
      OperatorCase(
        type: "MeanVarianceNormalization", inputs: [random.doubles([4, 5])],
        attributes: [Attribute("axes", .ints([-1]))], version: 13, tolerance: 1e-10))
    return cases
  }
}
