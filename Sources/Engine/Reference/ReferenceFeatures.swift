import Glibc
import NNFormat

/// Operators of `ai.onnx.ml` on numbers in the reference.
enum ReferenceFeatures {
  static func run(_ node: ReferenceNode) -> [ReferenceTensor]? {
    let x = node[0]
    switch node.node.operatorType {
    case "Scaler":
      return [
        .build(.float32, x.shape) { (x.at($0) - entry(node, "offset", $0)) * entry(node, "scale", $0) }
      ]
    case "Normalizer": return [normalizer(node)]
    case "Binarizer":
      return [ReferenceTensor(x.elementType, x.shape, x.values.map { $0 > node.alpha(0, "threshold") ? 1 : 0 })]
    case "Imputer":
      let isInteger = x.elementType.isInteger
      let missing =
        isInteger ? Double(node.node.int("replaced_value_int64", default: 0)) : node.alpha(0, "replaced_value_float")
      return [
        .build(x.elementType, x.shape) { index in
          let value = x.at(index)
          guard value == missing || (value.isNaN && missing.isNaN) else { return value }
          return entry(node, isInteger ? "imputed_value_int64s" : "imputed_value_floats", index)
        }
      ]
    case "OneHotEncoder":
      let categories = node.node.ints("cats_int64s") ?? []
      return [
        .build(.float32, x.shape + [categories.count]) { index in
          Int(trunc(x.at(Array(index.dropLast())))) == categories[index[x.shape.count]] ? 1 : 0
        }
      ]
    case "ArrayFeatureExtractor":
      let shape = x.shape.count == 1 ? [1] + x.shape : x.shape
      let rows = ReferenceTensor(x.elementType, shape, x.values)
      return [
        .build(x.elementType, shape.dropLast() + [node[1].values.count]) { index in
          rows.at(Array(index.dropLast()) + [node[1].ints[index[shape.count - 1]]])
        }
      ]
    case "FeatureVectorizer":
      return [
        .build(.float32, [x.shape[0], node.given.reduce(0) { $0 + $1.shape[1] }]) { index in
          var column = index[1]
          for operand in node.given {
            if column < operand.shape[1] { return operand.at([index[0], column]) }
            column -= operand.shape[1]
          }
          return .nan
        }
      ]
    case "ZipMap": return [x]
    case "LabelEncoder": return [labels(node)]
    case "LinearRegressor": return [scores(node, targets: node.node.int("targets", default: 1))]
    case "LinearClassifier": return classifier(node)
    default: return nil
    }
  }

  private static func list(_ node: ReferenceNode, _ name: String) -> [Double] {
    switch node.node.attribute(name) {
    case .floats(let values): values.map { Double($0) }
    case .ints(let values): values.map { Double($0) }
    default: []
    }
  }

  /// The entry of a list for the column of an index.
  private static func entry(_ node: ReferenceNode, _ name: String, _ index: [Int]) -> Double {
    let values = list(node, name)
    return values.count == 1 ? values[0] : values[index[index.count - 1]]
  }

  private static func normalizer(_ node: ReferenceNode) -> ReferenceTensor {
    let x = node[0]
    return .build(.float32, x.shape) { index in
      let line = ReferenceAlgebra.along(x, index, [x.shape.count - 1])
      let norm =
        switch node.node.text("norm", default: "MAX") {
        case "L1": line.reduce(0) { $0 + abs($1) }
        case "L2": sqrt(line.reduce(0) { $0 + $1 * $1 })
        default: line.max() ?? 1
        }
      return norm == 0 ? x.at(index) : x.at(index) / norm
    }
  }

  private static func labels(_ node: ReferenceNode) -> ReferenceTensor {
    let isInteger = node.node.attribute("values_int64s") != nil
    let keys = list(node, "keys_int64s") + list(node, "keys_floats")
    let values = list(node, "values_int64s") + list(node, "values_floats")
    let fallback = isInteger ? Double(node.node.int("default_int64", default: -1)) : node.alpha(0, "default_float")
    return ReferenceTensor(
      isInteger ? .int64 : .float32, node[0].shape,
      node[0].values.map { value in
        let place = keys.firstIndex { $0 == value || ($0.isNaN && value.isNaN) }
        return place.map { values[$0] } ?? fallback
      })
  }

  private static func scores(_ node: ReferenceNode, targets: Int) -> ReferenceTensor {
    let (weights, offsets) = (list(node, "coefficients"), list(node, "intercepts"))
    let width = node[0].shape[1]
    return .build(.float32, [node[0].shape[0], targets]) { index in
      (0..<width).reduce(offsets.isEmpty ? 0 : offsets[index[1]]) { sum, k in
        sum + node[0].at([index[0], k]) * weights[index[1] * width + k]
      }
    }
  }

  /// A label and the scores of each row; one score for two labels speaks for the second.
  private static func classifier(_ node: ReferenceNode) -> [ReferenceTensor] {
    let classes = list(node, "classlabels_ints")
    let offsets = list(node, "intercepts").count
    var raw = scores(node, targets: offsets == 0 ? classes.count : offsets)
    let isSingle = raw.shape[1] < classes.count
    if isSingle {
      let single = raw
      raw = .build(.float32, [raw.shape[0], 2]) { index in (index[1] == 0 ? -1 : 1) * single.at([index[0], 0]) }
    }
    let scores = raw
    let chosen = ReferenceTensor.build(.int64, [scores.shape[0]]) { index in
      let line = ReferenceAlgebra.along(scores, index + [0], [1])
      return classes[line.firstIndex(of: line.max() ?? 0) ?? 0]
    }
    let given = ReferenceTensor.build(.float32, scores.shape) { index in
      switch node.node.text("post_transform", default: "NONE") {
      case "LOGISTIC": 1 / (1 + exp(-scores.at(index)))
      case "SOFTMAX":
        exp(scores.at(index)) / ReferenceAlgebra.along(scores, index, [1]).reduce(0) { $0 + exp($1) }
      default: scores.at(index)
      }
    }
    return [chosen, given]
  }
}
