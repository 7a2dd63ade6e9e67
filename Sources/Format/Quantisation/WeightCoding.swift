/// Which elements of a tensor share a scale.
public enum ScaleGrouping: Sendable, Hashable {
  /// All of them.
  case tensor
  /// Those with one index along an axis.
  case axis(Int)
  /// Runs of a size along an axis, the last of which may be shorter.
  case blocks(axis: Int, size: Int)

  /// The shape of the scales of a tensor, as `DequantizeLinear` takes them.
  package func scaleShape(_ shape: [Int]) -> [Int] {
    switch self {
    case .tensor: return []
    case .axis(let axis): return [shape[axis]]
    case .blocks(let axis, let size):
      var result = shape
      result[axis] = (shape[axis] + size - 1) / size
      return result
    }
  }
}

/// How numbers become whole numbers of few bits: `x ≈ (code - zero point) · step`.
public struct WeightCoding: Sendable, Hashable {
  /// How steps come out of the range of a group.
  public enum Rule: Sendable, Hashable {
    /// The step is a float32 number.
    case step
    /// What is stored is the reciprocal of the step, as a float32 number.
    case reciprocal
  }

  /// int8, uint8, int4 or uint4; what the codes are.
  public var elementType: ElementType
  /// Whether the code of zero is fixed in the middle of the codes, so that ranges are symmetric.
  public var isSymmetric: Bool
  /// Whether 8-bit codes use 7 bits, so that sums of two products fit 16 bits.
  public var reducesRange = false
  /// Which elements share a scale.
  public var grouping: ScaleGrouping
  /// What is stored of a step.
  public var rule = Rule.step
  /// What is added to ranges, so that none is empty.
  public var epsilon: Float = 0
  /// Whether 4-bit codes share bytes; otherwise each takes one.
  public var isPacked = true

  /// A coding with plain steps.
  public init(_ elementType: ElementType, isSymmetric: Bool, grouping: ScaleGrouping) {
    self.elementType = elementType
    self.isSymmetric = isSymmetric
    self.grouping = grouping
  }

  var bits: Int { elementType.bitWidth ?? 8 }
  var isSigned: Bool { elementType == .int8 || elementType == .int4 }

  /// The lowest and the highest code, and the code of zero where that is fixed.
  var codes: (lowest: Int, highest: Int, zero: Int) {
    let width = reducesRange && bits == 8 ? 7 : bits
    let half = 1 << (width - 1)
    let middle = isSigned ? 0 : half
    if isSymmetric { return (middle - (bits == 4 && rule == .step ? half : half - 1), middle + half - 1, middle) }
    return isSigned ? (-half, half - 1, 0) : (0, 2 * half - 1, 0)
  }

  /// The step and the code of zero for numbers from `lowest` to `highest`, zero among them.
  ///
  /// Four symmetric bits reach one further down than up: the number of the largest size becomes the lowest code, whatever its
  /// sign, so that the step may be negative.
  func parameters(lowest: Float, highest: Float) -> (stored: Float, step: Float, zero: Int) {
    let (low, high, middle) = codes
    var step: Float
    var zero = middle
    if !isSymmetric {
      step = (highest - lowest + epsilon) / Float(high - low)
      if step.isNormal {
        zero = min(max(Int((Float(low) - lowest / step).rounded(.toNearestOrEven)), low), high)
      }
    } else if bits == 4, rule == .step {
      let extreme = highest > -lowest ? highest : lowest
      step = extreme / Float(low - middle)
    } else {
      step = (max(highest, -lowest) + epsilon) / Float(high - middle)
    }
    guard step.isNormal, (1 / step).isNormal else { return (1, 1, isSymmetric ? middle : min(max(0, low), high)) }
    guard rule == .reciprocal else { return (step, step, zero) }
    let stored = Float(high - middle) / (max(highest, -lowest) + epsilon)
    return (stored, 1 / stored, zero)
  }
}
