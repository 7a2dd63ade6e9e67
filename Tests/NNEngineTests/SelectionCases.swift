import NNEngine
import NNFormat

extension OperatorCases {
  static var selection: [OperatorCase] {
    var list = CaseList()
    var random = SeededGenerator(23)
    list.add("Compress", [random.floats([3, 4]), random.bools([9])])
    list.add("Compress", [random.ints([3, 4], in: 0...9), Tensor([true, false, true, true])], [axis(-1)])
    list.add("Compress", [random.floats([3, 4]), Tensor([false, true])], [axis(0)])
    list.add("Compress", [random.floats([3, 4]), Tensor([Bool](), shape: [0])], [axis(0)])
    list.add("NonZero", [random.ints([3, 4, 2], in: -1...1)])
    list.add("NonZero", [Tensor([Float(0), -0.0, .leastNonzeroMagnitude, .nan], shape: [2, 2])])
    list.add("NonZero", [random.bools([5])])
    for sorted in [0, 1] as [Int64] {
      let attribute = Attribute("sorted", .int(sorted))
      list.add("Unique", [random.ints([4, 5], in: -2...3)], [attribute], outputs: 4)
      list.add("Unique", [half(random.doubles([4]), .bfloat16)], [attribute], outputs: 4)
      for place in [0, 1, -1] {
        list.add("Unique", [random.ints([4, 5, 2], in: 0...1)], [attribute, axis(place)], outputs: 4)
      }
      list.add("Unique", [random.floats([0])], [attribute], outputs: 4)
    }
    for mode in ["linear", "circular"] {
      for starts in [nil, Tensor([Int64(0), 2])] {
        list.add(
          "TensorScatter", [random.floats([2, 2, 5, 3]), random.floats([2, 2, 3, 3]), starts],
          [Attribute("mode", .text(mode))], version: 24)
      }
    }
    list.add(
      "TensorScatter", [random.bools([2, 4]), random.bools([2, 3]), Tensor([Int64(3), 1])],
      [Attribute("mode", .text("circular")), axis(1)], version: 24)
    list.add("NonZero", [Tensor([Float(2)], shape: [])])
    list.add("NonZero", [Tensor([Float](), shape: [0, 3])])
    for (batch, time) in [(1, 0), (0, 1)] as [(Int64, Int64)] {
      let attributes = [Attribute("batch_axis", .int(batch)), Attribute("time_axis", .int(time))]
      list.add("ReverseSequence", [random.floats([4, 4]), Tensor([Int64(0), 1, 3, 4])], attributes)
      list.add("ReverseSequence", [random.bools([2, 2, 3]), Tensor([Int64(2), 0])], attributes)
    }
    for extents in [[5, 2], [2, 5], [4, 4], [0, 3]] as [[Int64]] {
      list.add("CenterCropPad", [random.floats([4, 3]), Tensor(extents)])
      list.add("CenterCropPad", [random.floats([4, 2, 3]), Tensor(extents)], [Attribute("axes", .ints([-1, 0]))])
    }
    for mode in ["DCR", "CRD"] {
      let attributes = [Attribute("blocksize", .int(2)), Attribute("mode", .text(mode))]
      list.add("DepthToSpace", [random.floats([2, 12, 2, 3])], attributes)
      list.add("SpaceToDepth", [random.floats([2, 3, 4, 6])], attributes, version: 28)
    }
    list.add("SpaceToDepth", [random.bools([1, 2, 3, 6])], [Attribute("blocksize", .int(3))], version: 13)
    list.add("BitCast", [random.floats([3, 2])], [Attribute("to", .int(6))], version: 26)
    for name in ["GlobalAveragePool", "GlobalMaxPool"] {
      for shape in [[2, 3, 4, 5], [2, 3, 7], [2, 3]] { list.add(name, [random.floats(shape)]) }
      list.add(name, [half(random.doubles([1, 2, 3]), .float16)], tolerance: 2e-3)
    }
    return list.cases
  }

  static var losses: [OperatorCase] {
    var list = CaseList()
    var random = SeededGenerator(24)
    for name in ["NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"] {
      for reduction in ["none", "mean", "sum"] {
        for ignored in [nil, 2] as [Int64?] {
          let attributes =
            [Attribute("reduction", .text(reduction))] + (ignored.map { [Attribute("ignore_index", .int($0))] } ?? [])
          for (scores, classes) in [([5, 4], [5]), ([2, 4, 3, 2], [2, 3, 2])] {
            let targets = random.ints(classes, in: 0...3)
            list.add(name, [random.floats(scores), targets], attributes, outputs: name.hasPrefix("S") ? 2 : 1)
            list.add(name, [random.floats(scores), targets, random.floats([4], in: 0.5...2)], attributes)
          }
        }
      }
      list.add(name, [random.doubles([3, 4]), Tensor([Int32(0), 3, 1])], tolerance: 1e-12)
      list.add(
        name, [random.floats([3, 4]), Tensor([Int64(0), -1, 1])],
        [Attribute("ignore_index", .int(-1)), Attribute("reduction", .text("sum"))])
    }
    return list.cases
  }
}
