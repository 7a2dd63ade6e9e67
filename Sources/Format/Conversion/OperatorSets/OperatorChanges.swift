/// What changed between versions of the standard operator set beyond the table of schemas.
///
/// Source: the changelog of the ONNX operators (docs/Changelog.md of the ONNX project).
enum OperatorChanges {
  /// Operators that mean something else from a version on without another form that shows it.
  private static let meanings: [String: [Int]] = [
    "Softmax": [13], "LogSoftmax": [13], "Hardmax": [13], "Dropout": [10], "Pad": [19], "GroupNormalization": [21],
    "Resize": [10, 11, 13], "GridSample": [20], "Scan": [9],
  ]

  /// Whether the operator's meaning changed on the way.
  static func isHidden(_ name: String, from: Int, to: Int) -> Bool {
    (meanings[name] ?? []).contains { min(from, to) < $0 && $0 <= max(from, to) }
  }

  /// The attributes that became inputs: their positions, and from which version on.
  static func moves(of name: String) -> [(attribute: String, input: Int, since: Int)] {
    switch name {
    case "Squeeze", "Unsqueeze", "ReduceSum": [("axes", 1, 13)]
    case "ReduceProd", "ReduceMax", "ReduceMin", "ReduceMean", "ReduceL1", "ReduceL2", "ReduceSumSquare",
      "ReduceLogSum",
      "ReduceLogSumExp":
      [("axes", 1, 18)]
    case "Split": [("split", 1, 13)]
    case "Reshape": [("shape", 1, 5)]
    case "Slice": [("starts", 1, 10), ("ends", 2, 10), ("axes", 3, 10)]
    case "Pad": [("pads", 1, 11), ("paddings", 1, 2), ("value", 2, 11)]
    case "Clip": [("min", 1, 11), ("max", 2, 11)]
    case "TopK": [("k", 1, 10)]
    case "Dropout": [("ratio", 1, 12)]
    default: []
    }
  }

  /// Attributes that older versions lack and whose usual value means what these do.
  static func neutral(_ name: String) -> [String: AttributeValue] {
    switch name {
    case "Cast", "CastLike": ["saturate": .int(1), "round_mode": .text("up")]
    case "QuantizeLinear", "DequantizeLinear":
      ["axis": .int(1), "saturate": .int(1), "block_size": .int(0), "output_dtype": .int(0), "precision": .int(0)]
    case "ScatterElements", "ScatterND": ["reduction": .text("none")]
    case "GatherND": ["batch_dims": .int(0)]
    case "TopK": ["largest": .int(1), "sorted": .int(1)]
    case "ArgMax", "ArgMin": ["select_last_index": .int(0)]
    case "Reshape": ["allowzero": .int(0)]
    case "BatchNormalization": ["training_mode": .int(0), "spatial": .int(1), "is_test": .int(1)]
    case "Dropout": ["is_test": .int(1)]
    case "GroupNormalization": ["stash_type": .int(1)]
    case "Add", "Sub", "Mul", "Div", "Pow": ["broadcast": .int(0)]
    default: [:]
    }
  }

  /// The first version in which an operator takes an element type, as far as that is later than 13.
  static func firstVersion(of type: ElementType, in name: String) -> Int {
    let byType: Int =
      switch type {
      case .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz: 19
      case .uint4, .int4: 21
      case .float4e2m1: 23
      case .float8e8m0: 24
      case .uint2, .int2: 25
      case .bfloat16: bfloat16[name] ?? 13
      case .int8, .int16, .uint8, .uint16: ["Add", "Sub", "Mul", "Div"].contains(name) ? 14 : 0
      case .bool: ["ReduceMax", "ReduceMin"].contains(name) ? 20 : 0
      case .string: name == "Equal" ? 19 : 0
      default: 0
      }
    let isSignedRelu = name == "Relu" && type.isInteger
    return isSignedRelu ? max(byType, 14) : byType
  }

  private static let bfloat16 = [
    "BatchNormalization": 14, "CumSum": 14, "Trilu": 14, "LeakyRelu": 16, "PRelu": 16, "Where": 16,
    "GreaterOrEqual": 16, "LessOrEqual": 16, "Elu": 22, "Selu": 22, "HardSigmoid": 22, "HardSwish": 22, "Mish": 22,
    "Softplus": 22, "Softsign": 22, "ThresholdedRelu": 22, "Round": 22, "Cos": 22, "Sin": 22,
  ]
}
