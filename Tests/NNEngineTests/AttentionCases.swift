import NNEngine
import NNFormat

extension OperatorCases {
  static var attention: [OperatorCase] {
    var list = CaseList()
    var random = SeededGenerator(25)
    func add(
      _ shapes: ([Int], [Int], [Int]), mask: Tensor? = nil, past: (Tensor, Tensor)? = nil, lengths: Tensor? = nil,
      _ attributes: [(String, Int64)] = [], floats: [(String, Float)] = []
    ) {
      let operands = [random.floats(shapes.0), random.floats(shapes.1), random.floats(shapes.2)]
      list.add(
        "Attention", operands + [mask, past?.0, past?.1, lengths],
        attributes.map { Attribute($0, .int($1)) } + floats.map { Attribute($0, .float($1)) }, outputs: 4, version: 25)
    }
    let plain = ([2, 4, 3, 5], [2, 4, 6, 5], [2, 4, 6, 7])
    let grouped = ([2, 4, 3, 5], [2, 2, 6, 5], [2, 2, 6, 5])
    for shapes in [plain, grouped] {
      for causal in [0, 1] as [Int64] {
        add(shapes, [("is_causal", causal)])
        for mask in [
          random.bools([3, 6]), random.floats([2, 4, 3, 6]), random.floats([4, 1, 6]), random.bools([3, 2]),
        ] {
          add(shapes, mask: mask, [("is_causal", causal)])
        }
        add(shapes, lengths: Tensor([Int64(6), 2]), [("is_causal", causal)])
      }
      for shown in 0...3 as ClosedRange<Int64> {
        add(
          shapes, mask: random.bools([3, 6]), [("qk_matmul_output_mode", shown)],
          floats: [("softcap", 0.7), ("scale", 0.9)])
      }
      add(shapes, [("left_window_size", 1)])
      add(shapes, [("left_window_size", 0), ("right_window_size", 2)])
    }
    add(
      grouped, past: (random.floats([2, 2, 4, 5]), random.floats([2, 2, 4, 5])),
      [("is_causal", 1), ("left_window_size", 3)])
    add(([2, 3, 8], [2, 5, 4], [2, 5, 6]), [("q_num_heads", 4), ("kv_num_heads", 2), ("is_causal", 1)])
    add(([1, 1, 2, 3], [1, 1, 0, 3], [1, 1, 0, 3]))
    list.add(
      "Attention", [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]].map { half(random.doubles($0), .float16) }, version: 23,
      tolerance: 2e-3)
    for interleaved in [0, 1] as [Int64] {
      let attribute = Attribute("interleaved", .int(interleaved))
      list.add(
        "RotaryEmbedding", [random.floats([2, 3, 4, 6]), random.floats([2, 4, 3]), random.floats([2, 4, 3])],
        [attribute], version: 23)
      list.add(
        "RotaryEmbedding",
        [random.floats([2, 4, 12]), random.floats([9, 2]), random.floats([9, 2]), random.ints([2, 4], in: 0...8)],
        [attribute, Attribute("num_heads", .int(2)), Attribute("rotary_embedding_dim", .int(4))], version: 23)
    }
    return list.cases
  }
}
