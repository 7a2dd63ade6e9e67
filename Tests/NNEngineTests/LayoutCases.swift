import NNEngine
import NNFormat

extension OperatorCases {
  static var reductions: [OperatorCase] {
    var random = SeededGenerator(15)
    var cases: [OperatorCase] = []
    for kind in ["Mean", "Sum", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp"] {
      for axes in [nil, [0], [-1], [0, 2], [1]] as [[Int64]?] {
        for keeps in [0, 1] as [Int64] {
          let keep = Attribute("keepdims", .int(keeps))
          let data = random.floats([3, 4, 5], in: 0.5...1.5)
          cases.append(
            OperatorCase(
              type: "Reduce\(kind)", inputs: [data, axes.map { Tensor($0) }], attributes: [keep], constants: [1]))
          cases.append(
            OperatorCase(type: "Reduce\(kind)", inputs: [data, axes.map { Tensor($0) }], attributes: [keep]))
          cases.append(
            OperatorCase(
              type: "Reduce\(kind)", inputs: [data],
              attributes: [keep] + (axes.map { [Attribute("axes", .ints($0))] } ?? []), version: 11))
        }
      }
      cases.append(
        OperatorCase(
          type: "Reduce\(kind)", inputs: [random.floats([3, 4], in: 0.5...1)],
          attributes: [Attribute("noop_with_empty_axes", .int(1))]))
      cases.append(
        OperatorCase(type: "Reduce\(kind)", inputs: [random.doubles([7, 3], in: 0.5...1)], tolerance: 1e-11))
      if !["LogSum", "LogSumExp", "L2"].contains(kind) {
        cases.append(OperatorCase(type: "Reduce\(kind)", inputs: [random.ints([2, 3], in: -4...4)]))
      }
    }
    for kind in ["Max", "Min"] {
      for axes in [nil, [0], [1]] as [[Int64]?] {
        for shape in [[3, 2], [1, 4]] {
          cases.append(
            OperatorCase(type: "Reduce\(kind)", inputs: [random.bools(shape), axes.map { Tensor($0) }], version: 20))
        }
      }
    }
    cases.append(OperatorCase(type: "ReduceMean", inputs: [Tensor([Int32.max, .max, 7])]))
    cases.append(OperatorCase(type: "ReduceLogSumExp", inputs: [Tensor([Float.nan, 1, .infinity])]))
    for kind in ["ArgMax", "ArgMin"] {
      for axis in [0, 1, -1] as [Int64] {
        for last in [0, 1] as [Int64] {
          for keeps in [0, 1] as [Int64] {
            let attributes = [
              Attribute("axis", .int(axis)), Attribute("select_last_index", .int(last)),
              Attribute("keepdims", .int(keeps)),
            ]
            cases.append(OperatorCase(type: kind, inputs: [random.ints([3, 4, 5], in: 0...3)], attributes: attributes))
            cases.append(OperatorCase(type: kind, inputs: [random.floats([3, 4, 5])], attributes: attributes))
          }
        }
      }
    }
    return cases
  }

  static var layout: [OperatorCase] {
    var random = SeededGenerator(16)
    var cases: [OperatorCase] = []
    func add(_ type: String, _ inputs: [Tensor?], _ attributes: [Attribute] = [], outputs: Int = 1, version: Int = 21) {
      cases.append(OperatorCase(type: type, inputs: inputs, attributes: attributes, outputs: outputs, version: version))
      let parameters = Set(inputs.indices.dropFirst().filter { inputs[$0] != nil })
      guard !parameters.isEmpty else { return }
      cases.append(
        OperatorCase(
          type: type, inputs: inputs, attributes: attributes, outputs: outputs, constants: parameters, version: version)
      )
    }
    let cube = random.floats([2, 3, 4])
    for axis in [0, 1, 2, 3, -1] as [Int64] { add("Flatten", [cube], [Attribute("axis", .int(axis))]) }
    for shape in [[6, 4], [-1], [0, -1], [2, 1, 12], [0, 0, 2, 2]] as [[Int64]] {
      add("Reshape", [cube, Tensor(shape)])
    }
    add("Reshape", [random.floats([0, 3]), Tensor([Int64(3), 0])], [Attribute("allowzero", .int(1))])
    add("Transpose", [cube])
    for perm in [[0, 2, 1], [1, 0, 2], [2, 1, 0], [0, 1, 2]] as [[Int64]] {
      add("Transpose", [cube], [Attribute("perm", .ints(perm))])
      add("Transpose", [random.bools([2, 3, 5])], [Attribute("perm", .ints(perm))])
    }
    let thin = random.floats([1, 3, 1])
    add("Squeeze", [thin, Tensor([Int64(0)])])
    add("Squeeze", [thin, Tensor([Int64(-1), 0])])
    cases.append(OperatorCase(type: "Squeeze", inputs: [thin]))
    add("Squeeze", [thin], [Attribute("axes", .ints([2]))], version: 11)
    add("Unsqueeze", [cube, Tensor([Int64(0), -1])])
    add("Unsqueeze", [cube], [Attribute("axes", .ints([1, 3]))], version: 11)
    add("Expand", [thin, Tensor([Int64(2), 1, 5])])
    add("Expand", [thin, Tensor([Int64(1), 1])])
    add("Tile", [cube, Tensor([Int64(2), 1, 3])])
    add("Tile", [cube, Tensor([Int64(1), 0, 1])])
    for axis in [0, 1, -1] as [Int64] {
      cases.append(
        OperatorCase(type: "Concat", inputs: [cube, cube, cube], attributes: [Attribute("axis", .int(axis))]))
    }
    cases.append(
      OperatorCase(
        type: "Concat", inputs: [random.floats([2, 0]), random.floats([2, 3])], attributes: [Attribute("axis", .int(1))]
      ))
    add("Split", [random.floats([7, 2]), Tensor([Int64(3), 0, 4])], outputs: 3)
    cases.append(
      OperatorCase(
        type: "Split", inputs: [random.floats([2, 7])],
        attributes: [Attribute("axis", .int(1)), Attribute("num_outputs", .int(3))], outputs: 3))
    add("Split", [random.floats([4, 2])], [Attribute("split", .ints([1, 3]))], outputs: 2, version: 11)
    for (starts, ends, axes, steps) in [
      ([0, 1], [2, 3], [0, 2], [1, 1]), ([-1], [-100], [1], [-1]), ([5], [1], [2], [-2]), ([0], [100], [-1], [3]),
      ([3], [1], [2], [1]),
    ] as [([Int64], [Int64], [Int64], [Int64])] {
      add("Slice", [random.floats([2, 5, 7]), Tensor(starts), Tensor(ends), Tensor(axes), Tensor(steps)])
    }
    add("Slice", [cube, Tensor([Int64(0), 1]), Tensor([Int64(1), 3])])
    add(
      "Slice", [cube], [Attribute("starts", .ints([1])), Attribute("ends", .ints([3])), Attribute("axes", .ints([1]))],
      version: 9)
    for axis in [0, 1, 2] as [Int64] {
      add(
        "Gather", [random.floats([3, 3, 3]), Tensor([Int64(2), -3, 0, 1], shape: [2, 2])],
        [Attribute("axis", .int(axis))])
      add(
        "Gather", [random.ints([3, 3, 3], in: 0...9), Tensor([Int32(1)], shape: [])], [Attribute("axis", .int(axis))])
    }
    return cases
  }

  static var generators: [OperatorCase] {
    var random = SeededGenerator(17)
    var cases: [OperatorCase] = []
    let value = random.floats([2, 5])
    cases.append(OperatorCase(type: "Shape", inputs: [value]))
    cases.append(
      OperatorCase(
        type: "Shape", inputs: [value], attributes: [Attribute("start", .int(-1)), Attribute("end", .int(2))]))
    cases.append(OperatorCase(type: "Size", inputs: [value]))
    cases.append(OperatorCase(type: "Constant", inputs: [], attributes: [Attribute("value", .tensor(value))]))
    cases.append(OperatorCase(type: "Constant", inputs: [], attributes: [Attribute("value_ints", .ints([3, 4]))]))
    for constants in [Set<Int>(), [0]] {
      cases.append(OperatorCase(type: "ConstantOfShape", inputs: [Tensor([Int64(2), 3])], constants: constants))
      cases.append(
        OperatorCase(
          type: "ConstantOfShape", inputs: [Tensor([Int64(4)])],
          attributes: [Attribute("value", .tensor(Tensor([Int64(7)])))], constants: constants))
    }
    func scalar<T: TensorScalar>(_ value: T) -> Tensor { Tensor([value], shape: []) }
    cases.append(OperatorCase(type: "Range", inputs: [scalar(Float(0)), scalar(Float(2)), scalar(Float(0.3))]))
    cases.append(OperatorCase(type: "Range", inputs: [scalar(Int64(9)), scalar(Int64(-3)), scalar(Int64(-2))]))
    cases.append(OperatorCase(type: "Range", inputs: [scalar(Int64(9)), scalar(Int64(3)), scalar(Int64(2))]))
    for type in [ElementType.float16, .bfloat16] {
      let parameters = [0, 5, 0.5].map { half(Tensor([$0], shape: []), type) }
      cases.append(OperatorCase(type: "Range", inputs: parameters, version: 27))
    }
    cases.append(
      OperatorCase(
        type: "Range", inputs: [scalar(Int32(0)), scalar(Int32(7)), scalar(Int32(2))], constants: [0, 1, 2]))
    return cases
  }
}
