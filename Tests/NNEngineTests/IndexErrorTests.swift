import NNEngine
import NNFormat
import Testing

/// Indices and parameters that a hostile file may hold: an error that names the node, never a trap.
@Suite struct IndexErrorTests {
  /// Runs a node on inputs, all of them given at run time, then all but the first constant; both have to fail.
  private func fails(
    _ type: String, _ tensors: [Tensor], _ attributes: [Attribute] = [], version: Int = 21, outputs: Int = 1,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for constants in [Set<Int>(), Set(tensors.indices.dropFirst())] {
      let example = OperatorCase(
        type: type, inputs: tensors, attributes: attributes, outputs: outputs, constants: constants, version: version)
      let (sketch, inputs) = example.sketch
      do {
        _ = try sketch.run(inputs)
        Issue.record("\(example) runs", sourceLocation: sourceLocation)
      } catch let error as EngineError {
        #expect(error.node?.contains(type) == true, "\(error)", sourceLocation: sourceLocation)
      } catch {
        Issue.record("\(error)", sourceLocation: sourceLocation)
      }
    }
  }

  private let data = Tensor([Float](repeating: 1, count: 6), shape: [2, 3])
  private let extremes: [Int64] = [.max, .min, 3, -4]

  @Test func indicesOutsideOfTheData() {
    for index in extremes {
      let indices = Tensor([index], shape: [1, 1])
      let update = Tensor([Float(0)], shape: [1, 1])
      fails("GatherElements", [data, indices])
      fails("GatherElements", [data, indices], [axis(1)])
      fails("GatherND", [data, indices])
      fails("GatherND", [data, Tensor([0, index], shape: [1, 2])])
      fails("ScatterElements", [data, indices, update])
      fails("ScatterElements", [data, indices, update], [Attribute("reduction", .text("add"))])
      fails("ScatterND", [data, indices, Tensor([Float](repeating: 0, count: 3), shape: [1, 3])])
    }
    fails("GatherND", [Tensor([Float](), shape: [0, 2]), Tensor([Int64(0)], shape: [1, 1])])
    fails("GatherND", [Tensor([Float](), shape: [2, 0]), Tensor([Int64(2)], shape: [1, 1])])
  }

  @Test func axesOutsideOfTheData() {
    let indices = Tensor([Int64(0)], shape: [1, 1])
    for place in extremes {
      let attribute = Attribute("axis", .int(place))
      fails("GatherElements", [data, indices], [attribute])
      fails("ScatterElements", [data, indices, Tensor([Float(0)], shape: [1, 1])], [attribute])
      fails("TopK", [data, Tensor([Int64(1)])], [attribute], outputs: 2)
      fails("CumSum", [data, Tensor([place])])
      fails("Pad", [data, Tensor([Int64(1), 1]), Tensor([Float(0)]), Tensor([place])])
      fails("GatherND", [data, indices], [Attribute("batch_dims", .int(place))])
      fails("OneHot", [data, Tensor([Int64(1)]), Tensor([Float(0), 1])], [attribute])
    }
  }

  @Test func shapesThatDoNotFit() {
    let wide = Tensor([Int64](repeating: 0, count: 8), shape: [2, 4])
    fails("GatherElements", [data, wide])
    fails("GatherElements", [data, Tensor([Int64(0)])])
    fails("GatherElements", [Tensor([Float(0)], shape: []), Tensor([Int64(0)], shape: [])])
    fails("GatherND", [data, Tensor([Int64(0)], shape: [])])
    fails("GatherND", [data, Tensor([Int64(0), 0, 0], shape: [1, 3])])
    fails("ScatterElements", [data, Tensor([Int64(0)], shape: [1, 1]), data])
    fails("ScatterElements", [data, wide, Tensor([Float](repeating: 0, count: 8), shape: [2, 4])])
    fails("ScatterND", [data, Tensor([Int64(0)], shape: [1, 1]), Tensor([Float(0)])])
    fails(
      "ScatterND", [data, Tensor([Int64(0)], shape: [1, 1]), Tensor([Double](repeating: 0, count: 3), shape: [1, 3])])
    fails("ScatterND", [data, wide, data], [Attribute("reduction", .text("average"))])
    fails("Trilu", [Tensor([Float(1)])])
    fails("Trilu", [data, Tensor([Int64](), shape: [0])])
    fails("EyeLike", [Tensor([Float(1)])])
    fails("EyeLike", [data], [Attribute("dtype", .int(99))])
    fails("CumSum", [data, Tensor([Int64](), shape: [0])])
    fails("CumSum", [Tensor([Float(1)], shape: []), Tensor([Int64(0)])])
  }

  @Test func countsThatDoNotFit() {
    for count in [4, -1, .max, .min] as [Int64] {
      fails("TopK", [data, Tensor([count])], outputs: 2)
      fails("TopK", [data], [Attribute("k", .int(count))], version: 1, outputs: 2)
    }
    fails("TopK", [data, Tensor([Int64](), shape: [0])], outputs: 2)
    fails("OneHot", [data, Tensor([Int64(-1)]), Tensor([Float(0), 1])])
    fails("OneHot", [data, Tensor([Float.nan]), Tensor([Float(0), 1])])
    fails("OneHot", [data, Tensor([Int64.max]), Tensor([Float(0), 1])])
    fails("OneHot", [data, Tensor([Int64(3)]), Tensor([Float(0), 1, 2])])
  }

  @Test func padsThatDoNotFit() {
    for pads in [[1], [1, 1, 1], [.max, 0, .max, 0], [.min, 0, 0, 0], [-2, 0, -1, 0], [1 << 40, 0, 1 << 40, 0]]
      as [[Int64]]
    {
      fails("Pad", [data, Tensor(pads)])
    }
    fails("Pad", [data, Tensor([Int64(0), 0, 0, 0])], [Attribute("mode", .text("mirror"))])
    fails("Pad", [data, Tensor([Int64(0), 0, 0, 1]), Tensor([Double(1)])])
    fails("Pad", [data, Tensor([Int64(0), 0, 0, 1]), Tensor([Float(1), 2])])
    fails("Pad", [data, Tensor([Int64(0), 0, 0, 0]), Tensor([Float(1)]), Tensor([Int64(1), 1])])
    for mode in ["edge", "reflect", "wrap"] {
      fails("Pad", [Tensor([Float](), shape: [0]), Tensor([Int64(1), 0])], [Attribute("mode", .text(mode))])
    }
  }

  @Test func selectionsThatDoNotFit() {
    let truth = Tensor([true, true, true])
    fails("Compress", [data, truth], [axis(0)])
    fails("Compress", [data, Tensor([true], shape: [1, 1])])
    for place in extremes { fails("Compress", [data, truth], [Attribute("axis", .int(place))]) }
    for length in [4, -1, .max, .min] as [Int64] { fails("ReverseSequence", [data, Tensor([length, 0, 0])]) }
    fails("ReverseSequence", [data, Tensor([Int64(0)])])
    for place in extremes { fails("Unique", [data], [Attribute("axis", .int(place))], outputs: 4) }
    for start in extremes {
      fails("TensorScatter", [data, data, Tensor([start, 0])], [axis(1)], version: 24)
    }
    fails("TensorScatter", [data, data], [axis(0)], version: 24)
    fails("TensorScatter", [data, data], [axis(1), Attribute("mode", .text("diagonal"))], version: 24)
    fails("TensorScatter", [data, data, Tensor([Int64(0)])], [axis(1)], version: 24)
    fails("ReverseSequence", [data, Tensor([Int64(0), 0, 0])], [Attribute("batch_axis", .int(.max))])
    fails("CenterCropPad", [data, Tensor([Int64(1)])])
    fails("CenterCropPad", [data, Tensor([Int64(-1), 1])])
    fails("CenterCropPad", [data, Tensor([Int64.max, .max])])
    let image = Tensor([Float](repeating: 1, count: 12), shape: [1, 3, 2, 2])
    for size in [0, -1, 3, .max, 1 << 30] as [Int64] {
      fails("SpaceToDepth", [image], [Attribute("blocksize", .int(size))])
      fails("DepthToSpace", [image], [Attribute("blocksize", .int(size))])
    }
    fails("BitCast", [data], [Attribute("to", .int(11))], version: 26)
    fails("BitCast", [data], [Attribute("to", .int(99))], version: 26)
  }

  @Test func classesThatDoNotExist() {
    for name in ["NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"] {
      for place in extremes { fails(name, [data, Tensor([0, place])]) }
      fails(name, [data, Tensor([Int64(0)])])
      fails(name, [data, Tensor([Int64(0), 1]), Tensor([Float(1)])])
      fails(name, [data, Tensor([Int64(0), 1])], [Attribute("reduction", .text("median"))])
      fails(name, [Tensor([Float(1)]), Tensor([Int64(0)])])
    }
  }

  @Test func attentionThatDoesNotFit() {
    let x = Tensor([Float](repeating: 1, count: 24), shape: [1, 2, 3, 4])
    let flat = Tensor([Float](repeating: 1, count: 24), shape: [1, 3, 8])
    let odd = Tensor([Float](repeating: 1, count: 18), shape: [1, 3, 3, 2])
    fails("Attention", [x, x, odd], version: 23)
    fails("Attention", [x, odd, odd], version: 23)
    fails("Attention", [flat, flat, flat], version: 23)
    for heads in extremes {
      fails(
        "Attention", [flat, flat, flat], [Attribute("q_num_heads", .int(heads)), Attribute("kv_num_heads", .int(2))],
        version: 23)
    }
    fails("Attention", [x, x, x, Tensor([Float](repeating: 0, count: 4), shape: [1, 4])], version: 23)
    fails("Attention", [x, x, x, Tensor([Float](repeating: 0, count: 4), shape: [4, 1])], version: 23)
    fails("Attention", [x, x, x], [Attribute("qk_matmul_output_mode", .int(9))], version: 23)
    let table = Tensor([Float](repeating: 1, count: 6), shape: [3, 2])
    for place in extremes {
      fails("RotaryEmbedding", [x, table, table, Tensor([0, 1, place], shape: [1, 3])], version: 23)
      fails("RotaryEmbedding", [x, table, table], [Attribute("rotary_embedding_dim", .int(place))], version: 23)
      fails("RotaryEmbedding", [flat, table, table], [Attribute("num_heads", .int(place))], version: 23)
    }
  }

  @Test func windowsThatDoNotFit() {
    let image = Tensor([Float](repeating: 1, count: 12), shape: [1, 3, 2, 2])
    func pool(_ kernel: [Int64], _ attributes: (String, [Int64])...) {
      for type in ["MaxPool", "AveragePool", "LpPool"] {
        fails(
          type, [image], [Attribute("kernel_shape", .ints(kernel))] + attributes.map { Attribute($0, .ints($1)) })
      }
    }
    pool([2])
    for size in [0, -1, .max, .min] as [Int64] {
      pool([size, 1])
      pool([1, 1], ("strides", [size, 1]))
      pool([1, 1], ("dilations", [1, size]))
      if size != 0 { pool([1, 1], ("pads", [0, size, 0, 0])) }
    }
    pool([1, 1], ("pads", [0, 0]))
    pool([1, 1], ("pads", [1 << 30, 1 << 30, 1 << 30, 1 << 30]))
    fails("MaxPool", [data], [Attribute("kernel_shape", .ints([]))])
  }

  /// Extents whose product only a zero keeps from overflowing.
  @Test func hugeExtentsOfEmptyValues() throws {
    let empty = Tensor([Float](), shape: [0, 1 << 62])
    let tall = Tensor([Float](), shape: [1 << 62, 0])
    fails("Concat", [tall, tall], [axis(0)])
    for (type, inputs, attributes) in [
      ("Concat", [empty, empty], [axis(0)]), ("Split", [empty], [axis(1), Attribute("num_outputs", .int(1))]),
      ("Gather", [empty, Tensor([Int64](), shape: [0])], [axis(0)]),
    ] {
      let example = OperatorCase(type: type, inputs: inputs, attributes: attributes)
      #expect(try example.results()[0].count == 0)
    }
  }

  @Test func diagonalsOutsideOfTheMatrix() throws {
    for (diagonal, upper, sum) in [(Int64.max, 1, 0), (.max, 0, 6), (.min, 1, 6), (.min, 0, 0)]
      as [(Int64, Int64, Double)]
    {
      let example = OperatorCase(
        type: "Trilu", inputs: [data, Tensor([diagonal], shape: [])], attributes: [Attribute("upper", .int(upper))])
      #expect(try example.results()[0].numbers.reduce(0, +) == sum)
    }
  }

  /// NaN is the largest number to TopK, and what scatters join with NaN is NaN.
  @Test func notANumber() throws {
    let example = OperatorCase(
      type: "TopK", inputs: [Tensor([Float(1), .nan, .infinity, .nan]), Tensor([Int64(3)])], outputs: 2)
    let results = try example.results()
    #expect(try results[1].numbers == [1, 3, 2])
    let smallest = OperatorCase(
      type: "TopK", inputs: [Tensor([Float.nan, 2, 1]), Tensor([Int64(3)])],
      attributes: [Attribute("largest", .int(0))], outputs: 2)
    #expect(try smallest.results()[1].numbers == [2, 1, 0])
    for reduction in ["max", "min", "add", "mul"] {
      let scatter = OperatorCase(
        type: "ScatterElements", inputs: [Tensor([Float.nan, 1]), Tensor([Int64(0), 1]), Tensor([Float(1), .nan])],
        attributes: [Attribute("reduction", .text(reduction))])
      #expect(try scatter.results()[0].numbers.allSatisfy(\.isNaN))
    }
  }
}
