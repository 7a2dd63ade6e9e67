import NNEngine
import NNFormat

/// Operators of ONNX Runtime and of `ai.onnx.ml`.
extension OperatorCases {
  static var contributed: [OperatorCase] { gelus + fusedProducts + skips + features }

  private static let microsoft = "com.microsoft"

  private static var gelus: [OperatorCase] {
    var random = SeededGenerator(61)
    var cases: [OperatorCase] = []
    for name in ["Gelu", "QuickGelu", "FastGelu"] {
      cases.append(OperatorCase(type: name, domain: microsoft, inputs: [random.floats([3, 19], in: -4...4)]))
      cases.append(
        OperatorCase(type: name, domain: microsoft, inputs: [random.doubles([3, 5])], tolerance: 1e-6))
    }
    for name in ["FastGelu", "BiasGelu"] {
      for constants in [Set<Int>(), [1]] {
        cases.append(
          OperatorCase(
            type: name, domain: microsoft, inputs: [random.floats([2, 3, 19]), random.floats([19])],
            constants: constants))
      }
      cases.append(
        OperatorCase(
          type: name, domain: microsoft, inputs: [random.doubles([3, 5]), random.doubles([5])], tolerance: 1e-6))
    }
    cases.append(
      OperatorCase(
        type: "QuickGelu", domain: microsoft, inputs: [random.floats([7])],
        attributes: [Attribute("alpha", .float(0.6))]))
    return cases
  }

  private static var fusedProducts: [OperatorCase] {
    var random = SeededGenerator(62)
    var cases: [OperatorCase] = []
    let products: [([Int], [Int], [String])] = [
      ([3, 5], [5, 7], []), ([5, 3], [5, 7], ["transA"]), ([3, 5], [7, 5], ["transB"]), ([5], [5, 7], ["transA"]),
      ([2, 3, 5], [5, 4], []), ([2, 3, 5], [2, 4, 5], ["transB"]), ([3, 2, 5], [2, 5, 4], ["transBatchA"]),
      ([3, 2, 5], [4, 2, 5], ["transBatchA", "transBatchB", "transB"]),
      ([5, 2, 3], [2, 5, 4], ["transBatchA", "transA"]),
      ([3, 2, 1, 5], [2, 1, 5, 4], ["transBatchA"]), ([0, 5], [5, 3], []),
    ]
    for (x, y, names) in products {
      let attributes = names.map { Attribute($0, .int(1)) } + [Attribute("alpha", .float(0.7))]
      for constants in [Set<Int>(), [1]] {
        cases.append(
          OperatorCase(
            type: "FusedMatMul", domain: microsoft, inputs: [random.floats(x), random.floats(y)],
            attributes: attributes,
            constants: constants))
      }
      cases.append(
        OperatorCase(
          type: "FusedMatMul", domain: microsoft, inputs: [random.doubles(x), random.doubles(y)],
          attributes: attributes, tolerance: 1e-6))
    }
    for name in ["", "Relu", "Tanh", "LeakyRelu"] {
      let attributes = [Attribute("activation", .text(name)), Attribute("activation_alpha", .float(0.2))]
      for constants in [Set<Int>(), [1, 2]] {
        cases.append(
          OperatorCase(
            type: "FusedGemm", domain: microsoft,
            inputs: [random.floats([4, 5]), random.floats([5, 7]), random.floats([7])],
            attributes: attributes, constants: constants))
      }
      cases.append(
        OperatorCase(
          type: "FusedGemm", domain: microsoft, inputs: [random.doubles([4, 5]), random.doubles([5, 7])],
          attributes: attributes, tolerance: 1e-6))
    }
    return cases
  }

  private static var skips: [OperatorCase] {
    var random = SeededGenerator(63)
    var cases: [OperatorCase] = []
    let attributes = [Attribute("epsilon", .float(1e-3))]
    for skip in [[2, 3, 9], [1, 3, 9], [3, 9]] {
      let values = [random.floats([2, 3, 9]), random.floats(skip), random.floats([9])]
      let (offset, bias) = (random.floats([9]), random.floats([9]))
      for inputs in [values, values + [offset], values + [offset, bias], values + [nil, bias]] as [[Tensor?]] {
        cases.append(
          OperatorCase(
            type: "SkipLayerNormalization", domain: microsoft, inputs: inputs, attributes: attributes, outputs: 4))
      }
      for inputs in [values, values + [bias]] {
        cases.append(
          OperatorCase(
            type: "SkipSimplifiedLayerNormalization", domain: microsoft, inputs: inputs, attributes: attributes,
            outputs: 4))
        cases.append(
          OperatorCase(
            type: "SkipSimplifiedLayerNormalization", domain: microsoft, inputs: inputs, attributes: attributes))
      }
    }
    for domain in ["", microsoft] {
      cases.append(
        OperatorCase(
          type: "SimplifiedLayerNormalization", domain: domain, inputs: [random.floats([4, 9]), random.floats([9])],
          attributes: attributes, outputs: 2))
      cases.append(
        OperatorCase(
          type: "LayerNormalization", domain: domain,
          inputs: [random.floats([4, 9]), random.floats([9]), random.floats([9])],
          attributes: attributes, outputs: 3, version: 13))
    }
    return cases
  }

  private static var features: [OperatorCase] {
    var random = SeededGenerator(64)
    func ml(_ type: String, _ inputs: [Tensor], _ attributes: [Attribute] = [], outputs: Int = 1) -> OperatorCase {
      OperatorCase(type: type, domain: "ai.onnx.ml", inputs: inputs, attributes: attributes, outputs: outputs)
    }
    let three = Attribute("scale", .floats([0.5, 2, -1]))
    var cases: [OperatorCase] = []
    let values = [random.floats([4, 3]), random.doubles([4, 3]), random.ints([4, 3], in: -5...5)]
    for tensor in values {
      cases += [
        ml("Scaler", [tensor], [three, Attribute("offset", .floats([1, 2, 3]))]),
        ml("Scaler", [tensor], [Attribute("scale", .floats([3])), Attribute("offset", .floats([0.5]))]),
        ml("Binarizer", [tensor], [Attribute("threshold", .float(0.5))]),
        ml("OneHotEncoder", [tensor], [Attribute("cats_int64s", .ints([-1, 0, 1, 3]))]),
        ml("ArrayFeatureExtractor", [tensor, Tensor([Int64(2), 0, 2])]),
        ml("FeatureVectorizer", [tensor, tensor], [Attribute("inputdimensions", .ints([3, 3]))]),
        ml("LinearRegressor", [tensor], [Attribute("coefficients", .floats([1, -2, 3]))]),
        ml(
          "LinearRegressor", [tensor],
          [
            Attribute("coefficients", .floats([1, -2, 3, 4, 5, 6])), Attribute("intercepts", .floats([0.5, -1])),
            Attribute("targets", .int(2)),
          ]),
        ml(
          "LinearClassifier", [tensor],
          [
            Attribute("coefficients", .floats([1, -2, 3, 0.5, 0.5, -1])), Attribute("intercepts", .floats([0.5, -1])),
            Attribute("classlabels_ints", .ints([7, -2])), Attribute("post_transform", .text("SOFTMAX")),
          ], outputs: 2),
      ]
      for norm in ["MAX", "L1", "L2"] { cases.append(ml("Normalizer", [tensor], [Attribute("norm", .text(norm))])) }
    }
    let holes = Tensor([Float.nan, 1, 2, 3, .nan, 0], shape: [2, 3])
    cases += [
      ml("ArrayFeatureExtractor", [Tensor([Int64(5), 6, 7]), Tensor([Int64(1)])]),
      ml("ZipMap", [random.floats([4, 3])]),
      ml("Normalizer", [Tensor([Float](repeating: 0, count: 4), shape: [2, 2])], [Attribute("norm", .text("L2"))]),
      ml(
        "Imputer", [holes],
        [Attribute("replaced_value_float", .float(.nan)), Attribute("imputed_value_floats", .floats([7, 8, 9]))]),
      ml(
        "Imputer", [Tensor([Int64(1), 2, 1, 3], shape: [2, 2])],
        [Attribute("replaced_value_int64", .int(1)), Attribute("imputed_value_int64s", .ints([50]))]),
      ml(
        "LabelEncoder", [Tensor([Int64(3), 1, 8])],
        [Attribute("keys_int64s", .ints([1, 3])), Attribute("values_floats", .floats([0.25, 0.5]))]),
      ml(
        "LabelEncoder", [holes],
        [
          Attribute("keys_floats", .floats([1, .nan])), Attribute("values_int64s", .ints([10, 20])),
          Attribute("default_int64", .int(-3)),
        ]),
    ]
    return cases
  }
}
