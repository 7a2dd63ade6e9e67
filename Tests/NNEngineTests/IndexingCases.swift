import NNEngine
import NNFormat

/// A shorter way to list cases of one family; inputs after the first also come as constants.
struct CaseList {
  var cases: [OperatorCase] = []

  mutating func add(
    _ type: String, _ inputs: [Tensor?], _ attributes: [Attribute] = [], outputs: Int = 1, version: Int = 21,
    tolerance: Double = 1e-5
  ) {
    let parameters = Set(inputs.indices.dropFirst().filter { inputs[$0] != nil })
    for constants in parameters.isEmpty ? [[]] : [[], parameters] {
      cases.append(
        OperatorCase(
          type: type, inputs: inputs, attributes: attributes, outputs: outputs, constants: constants, version: version,
          tolerance: tolerance))
    }
  }
}

func axis(_ axis: Int) -> Attribute { Attribute("axis", .int(Int64(axis))) }

extension OperatorCases {
  static var indexing: [OperatorCase] {
    var list = CaseList()
    var random = SeededGenerator(21)
    addGathers(&list, &random)
    addScatters(&list, &random)
    addOrders(&list, &random)
    addMatrices(&list, &random)
    return list.cases
  }

  private static func addGathers(_ list: inout CaseList, _ random: inout SeededGenerator) {
    for place in [0, 1, 2, -1] {
      list.add("GatherElements", [random.floats([3, 4, 3]), random.ints([3, 2, 3], in: -3...2)], [axis(place)])
      list.add("GatherElements", [random.bools([4, 4, 4]), random.ints([1, 4, 2], in: -4...3)], [axis(place)])
    }
    list.add("GatherElements", [random.doubles([5]), Tensor([Int32(4), -5, 0])])
    list.add("GatherElements", [random.floats([2, 3]), Tensor([Int64](), shape: [0, 3])])
    list.add("GatherElements", [half(random.doubles([4, 2]), .bfloat16), random.ints([4, 2], in: 0...3)])
    list.add("GatherND", [random.floats([3, 4, 5]), random.ints([2, 2], in: -3...2)])
    list.add("GatherND", [random.ints([3, 4, 5], in: 0...99), random.ints([2, 2, 3], in: -3...2)])
    list.add("GatherND", [random.floats([3, 4]), random.ints([5, 1], in: 0...2)])
    list.add("GatherND", [random.floats([3, 4]), Tensor([Int64](), shape: [0, 2])])
    list.add(
      "GatherND", [random.floats([2, 3, 4, 5]), random.ints([2, 3, 6, 1], in: 0...3)],
      [Attribute("batch_dims", .int(2))])
    list.add(
      "GatherND", [random.floats([2, 3, 4]), random.ints([2, 1], in: 0...2)], [Attribute("batch_dims", .int(1))])
  }

  private static func addScatters(_ list: inout CaseList, _ random: inout SeededGenerator) {
    for reduction in ["none", "add", "mul", "max", "min"] {
      let attribute = Attribute("reduction", .text(reduction))
      for place in [0, 1, -1] {
        list.add(
          "ScatterElements", [random.floats([4, 5]), random.ints([3, 4], in: -4...3), random.floats([3, 4])],
          [axis(place), attribute])
      }
      // Many updates of few places, in integers, so that the order of sums does not matter.
      list.add(
        "ScatterElements", [random.ints([2], in: 1...3), random.ints([9], in: -2...1), random.ints([9], in: 1...3)],
        [attribute])
      list.add(
        "ScatterND", [random.floats([4, 3]), random.ints([2, 1], in: -4...3), random.floats([2, 3])], [attribute])
      list.add(
        "ScatterND", [random.ints([4, 3], in: 1...3), random.ints([7, 2], in: 0...2), random.ints([7], in: 1...3)],
        [attribute])
      list.add(
        "ScatterND", [random.doubles([3, 3]), Tensor([Int32](), shape: [0, 2]), Tensor([Double](), shape: [0])],
        [attribute], tolerance: 1e-12)
      for type in [ElementType.float16, .bfloat16] {
        list.add(
          "ScatterElements",
          [half(random.doubles([5]), type), Tensor([Int64(1), 1, 4]), half(random.doubles([3]), type)], [attribute],
          version: 18, tolerance: 1e-2)
      }
    }
    list.add("Scatter", [random.floats([4, 2]), random.ints([1, 2], in: 0...3), random.floats([1, 2])], version: 10)
    list.add("ScatterElements", [random.bools([4]), Tensor([Int64(0), -1]), random.bools([2])], version: 11)
  }

  private static func addOrders(_ list: inout CaseList, _ random: inout SeededGenerator) {
    for place in [0, 1, -1] {
      for largest in [0, 1] as [Int64] {
        for count in [0, 1, 3, 5] as [Int64] {
          let attributes = [axis(place), Attribute("largest", .int(largest)), Attribute("sorted", .int(1))]
          list.add("TopK", [random.floats([5, 6, 5]), Tensor([count])], attributes, outputs: 2)
          list.add("TopK", [random.ints([5, 6, 5], in: 0...3), Tensor([count])], attributes, outputs: 2)
        }
      }
    }
    list.add("TopK", [random.floats([400]), Tensor([Int64(37)])], outputs: 2)
    list.add("TopK", [half(random.doubles([40]), .float16), Tensor([Int64(7)])], outputs: 2)
    list.add("TopK", [random.floats([0, 4]), Tensor([Int64(2)])], outputs: 2)
    list.add("TopK", [random.floats([3, 7])], [Attribute("k", .int(2))], outputs: 2, version: 9)
    list.add("TopK", [random.doubles([3, 7]), Tensor([Int64(2)])], [axis(0)], outputs: 2, version: 10)
    for name in ["CumSum", "CumProd"] {
      for place in [0, 1, -1] as [Int32] {
        for (exclusive, reverse) in [(0, 0), (0, 1), (1, 0), (1, 1)] as [(Int64, Int64)] {
          list.add(
            name, [random.floats([3, 4, 2]), Tensor([place], shape: [])],
            [Attribute("exclusive", .int(exclusive)), Attribute("reverse", .int(reverse))], version: 26)
        }
      }
      list.add(name, [random.ints([7], in: -3...3), Tensor([Int64(0)])], version: 26)
      list.add(name, [random.floats([2, 0]), Tensor([Int64(1)])], version: 26)
    }
  }

  private static func addMatrices(_ list: inout CaseList, _ random: inout SeededGenerator) {
    for upper in [0, 1] as [Int64] {
      for diagonal in [nil, 0, 1, -2, 9, -9, .min] as [Int64?] {
        list.add(
          "Trilu", [random.floats([2, 4, 5]), diagonal.map { Tensor([$0], shape: []) }],
          [Attribute("upper", .int(upper))])
      }
      list.add("Trilu", [random.ints([5, 2], in: 1...9)], [Attribute("upper", .int(upper))])
      list.add("Trilu", [random.bools([0, 3])], [Attribute("upper", .int(upper))])
    }
    for diagonal in [0, 2, -1, 9, .min] as [Int64] {
      list.add("EyeLike", [random.floats([3, 4])], [Attribute("k", .int(diagonal))])
      list.add("EyeLike", [random.floats([3, 4])], [Attribute("k", .int(diagonal)), Attribute("dtype", .int(7))])
    }
    list.add("EyeLike", [random.ints([2, 2], in: 0...1)], [Attribute("dtype", .int(16))])
    for place in [0, 1, -1] {
      list.add(
        "OneHot", [random.ints([2, 3], in: -6...6), Tensor([Int64(4)], shape: []), Tensor([Float(0.5), 2])],
        [axis(place)])
    }
    list.add("OneHot", [random.floats([4], in: 0...2), Tensor([Float(3)]), Tensor([Int64(0), 1])])
    list.add("OneHot", [Tensor([Int32(1)], shape: []), Tensor([Int32(2)], shape: []), Tensor([false, true])])
  }

  static var padding: [OperatorCase] {
    var list = CaseList()
    var random = SeededGenerator(22)
    for mode in ["constant", "edge", "reflect", "wrap"] {
      let attribute = Attribute("mode", .text(mode))
      for pads in [[0, 1, 2, 0, 3, 1], [1, 0, -1, 1, 0, 2], [0, 7, 0, 0, 9, 0], [-1, -1, 0, 0, -1, -2]] as [[Int64]] {
        list.add("Pad", [random.floats([2, 3, 4]), Tensor(pads)], [attribute])
      }
      list.add(
        "Pad", [random.ints([2, 3, 4], in: 0...9), Tensor([Int64(2), 1, 0, 3]), nil, Tensor([Int64(-1), 0])],
        [attribute])
      list.add("Pad", [random.floats([1]), Tensor([Int64(2), 3])], [attribute])
      list.add("Pad", [random.floats([], in: 0...1), Tensor([Int64](), shape: [0])], [attribute])
      list.add("Pad", [random.floats([0, 3]), Tensor([Int64(0), 1, 0, 1])], [attribute])
    }
    list.add("Pad", [random.floats([2, 3]), Tensor([Int64(0), 1, 2, 0]), Tensor([Float(7)], shape: [])])
    list.add("Pad", [random.bools([2]), Tensor([Int64(1), 1]), Tensor([true], shape: [])])
    list.add("Pad", [random.floats([0]), Tensor([Int64(2), 1])])
    list.add(
      "Pad", [random.floats([2, 3])], [Attribute("pads", .ints([0, 1, 1, 0])), Attribute("value", .float(-2))],
      version: 2)
    list.add("Pad", [half(random.doubles([3]), .float16)], [Attribute("pads", .ints([1, 1]))], version: 2)
    list.add("Pad", [random.floats([2])], [Attribute("paddings", .ints([1, 1]))], version: 1)
    return list.cases
  }
}
