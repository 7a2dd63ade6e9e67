import NNEngine
import NNFormat

extension OperatorCases {
  static var pooling: [OperatorCase] {
    var list = CaseList()
    var random = SeededGenerator(26)
    func ints(_ name: String, _ values: [Int64]) -> Attribute { Attribute(name, .ints(values)) }
    let forms: [([Int], [Attribute])] = [
      ([2, 3, 9], [ints("kernel_shape", [3])]),
      ([1, 2, 9], [ints("kernel_shape", [4]), ints("strides", [3]), ints("pads", [1, 2])]),
      ([1, 2, 7, 6], [ints("kernel_shape", [3, 2]), ints("strides", [2, 3]), ints("pads", [1, 0, 2, 1])]),
      ([1, 2, 7, 6], [ints("kernel_shape", [3, 2]), ints("strides", [2, 2]), Attribute("ceil_mode", .int(1))]),
      (
        [1, 1, 2, 2],
        [
          ints("kernel_shape", [3, 3]), ints("strides", [3, 3]), ints("pads", [1, 1, 1, 1]),
          Attribute("ceil_mode", .int(1)),
        ]
      ),
      ([1, 1, 9, 8], [ints("kernel_shape", [3, 2]), ints("dilations", [2, 3]), ints("pads", [1, 1, 1, 1])]),
      ([1, 1, 4, 3, 5], [ints("kernel_shape", [2, 2, 2])]),
      (
        [1, 2, 7, 6],
        [ints("kernel_shape", [3, 2]), ints("strides", [2, 2]), Attribute("auto_pad", .text("SAME_UPPER"))]
      ),
      (
        [1, 2, 7, 6],
        [ints("kernel_shape", [2, 4]), ints("strides", [3, 1]), Attribute("auto_pad", .text("SAME_LOWER"))]
      ),
      ([1, 2, 7, 6], [ints("kernel_shape", [2, 4]), Attribute("auto_pad", .text("VALID"))]),
      ([0, 2, 5], [ints("kernel_shape", [2])]),
    ]
    for (shape, attributes) in forms {
      list.add("LpPool", [random.floats(shape)], attributes + [Attribute("p", .int(3))])
      for includes in [0, 1] as [Int64] {
        list.add("AveragePool", [random.floats(shape)], attributes + [Attribute("count_include_pad", .int(includes))])
      }
      for order in [0, 1] as [Int64] {
        list.add("MaxPool", [random.floats(shape)], attributes + [Attribute("storage_order", .int(order))], outputs: 2)
        list.add(
          "MaxPool", [half(random.doubles(shape), .float16)], attributes + [Attribute("storage_order", .int(order))],
          outputs: 2)
      }
    }
    list.add("AveragePool", [random.doubles([1, 1, 5])], [ints("kernel_shape", [2])], version: 1, tolerance: 1e-12)
    return list.cases
  }
}
