import Glibc
import NNFormat

/// Elementary functions, remainders and bit operations of the reference.
enum ReferenceElementary {
  static func function(_ node: ReferenceNode) -> ((Double) -> Double)? {
    switch node.node.operatorType {
    case "Sin": return { sin($0) }
    case "Cos": return { cos($0) }
    case "Tan": return { sin($0) / cos($0) }
    case "Asin": return { atan2($0, sqrt(1 - $0 * $0)) }
    case "Acos": return { atan2(sqrt(1 - $0 * $0), $0) }
    case "Atan": return { atan2($0, 1) }
    case "Sinh": return { (exp($0) - exp(-$0)) / 2 }
    case "Cosh": return { (exp($0) + exp(-$0)) / 2 }
    case "Asinh": return { $0 < 0 ? -log(sqrt($0 * $0 + 1) - $0) : log($0 + sqrt($0 * $0 + 1)) }
    case "Acosh": return { log($0 + sqrt($0 * $0 - 1)) }
    case "Atanh": return { log((1 + $0) / (1 - $0)) / 2 }
    case "Floor": return { floor($0) }
    case "Ceil": return { ceil($0) }
    case "Round": return { rint($0) }
    case "Shrink":
      let (bias, threshold) = (node.alpha(0, "bias"), node.alpha(0.5, "lambd"))
      let isInteger = node[0].elementType.isInteger
      return { x in
        let shrunk = x < -threshold ? x + bias : x > threshold ? x - bias : 0
        return isInteger ? trunc(shrunk) : shrunk
      }
    case "BitwiseNot": return { node[0].elementType.isSigned ? -1 - $0 : limit(node) - 1 - $0 }
    default: return nil
    }
  }

  static func test(_ node: ReferenceNode) -> ((Double) -> Bool)? {
    switch node.node.operatorType {
    case "IsNaN": return { $0.isNaN }
    case "IsInf":
      let findsNegative = node.node.int("detect_negative", default: 1) != 0
      let findsPositive = node.node.int("detect_positive", default: 1) != 0
      return { $0.isInfinite && ($0 < 0 ? findsNegative : findsPositive) }
    default: return nil
    }
  }

  static func combination(_ node: ReferenceNode) -> ((Double, Double) -> Double)? {
    switch node.node.operatorType {
    case "Mod":
      if node.node.int("fmod", default: 0) != 0 { return { fmod($0, $1) } }
      return { $0 - floor($0 / $1) * $1 }
    case "SwiGLU": return { $0 / (1 + exp(-node.alpha(1, "alpha") * $0)) * $1 }
    case "BitwiseAnd": return bits { $0 & $1 }
    case "BitwiseOr": return bits { $0 | $1 }
    case "BitwiseXor": return bits { $0 ^ $1 }
    case "BitShift":
      let isLeft = node.node.text("direction", default: "") == "LEFT"
      let modulus = limit(node)
      return { x, y in
        guard y >= 0, y < log2(modulus) else { return !isLeft && x < 0 ? -1 : 0 }
        if !isLeft { return floor(x / exp2(y)) }
        let shifted = fmod(x * exp2(y), modulus)
        let wrapped = shifted < 0 ? shifted + modulus : shifted
        return node[0].elementType.isSigned && wrapped >= modulus / 2 ? wrapped - modulus : wrapped
      }
    default: return nil
    }
  }

  /// How many values the type of input 0 has.
  private static func limit(_ node: ReferenceNode) -> Double { exp2(Double(node[0].elementType.bitWidth ?? 64)) }

  private static func bits(_ function: @escaping (Int, Int) -> Int) -> (Double, Double) -> Double {
    { Double(function(Int($0), Int($1))) }
  }
}

extension ElementType {
  fileprivate var isSigned: Bool { [.int8, .int16, .int32, .int64].contains(self) }
}
