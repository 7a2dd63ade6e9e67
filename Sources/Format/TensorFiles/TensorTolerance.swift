/// How close elements have to be, as ONNX's own backend tests have it: `|actual - expected| <= absolute + relative *
/// |expected|`, element by element. Integers, booleans and strings have to be equal.
public struct TensorTolerance: Sendable, Hashable {
  /// The part that grows with the expected element. For bfloat16 it is at least two units in the last place, 1/64.
  public var relative: Double
  /// The part that does not.
  public var absolute: Double

  /// The tolerance of the ONNX backend tests, 1e-3 and 1e-7, unless said otherwise.
  public init(relative: Double = 1e-3, absolute: Double = 1e-7) {
    self.relative = relative
    self.absolute = absolute
  }

  /// What is wrong with a value, `nil` when it is close enough to the expected one: of the same form, each tensor close.
  ///
  /// - Throws: `FormatError` when elements cannot be read.
  public func difference(_ actual: TensorValue, expected: TensorValue) throws(FormatError) -> String? {
    switch (actual, expected) {
    case (.tensor(let actual), .tensor(let expected)): return try difference(actual, expected: expected)
    case (.optional(let actual?), .optional(let expected?)): return try difference(actual, expected: expected)
    case (.optional(nil), .optional(nil)): return nil
    case (.sequence(let actual), .sequence(let expected)):
      guard actual.count == expected.count else {
        return "is a sequence of \(actual.count), expected are \(expected.count)"
      }
      for (index, pair) in zip(actual, expected).enumerated() {
        if let difference = try difference(pair.0, expected: pair.1) { return "element \(index) \(difference)" }
      }
      return nil
    default: return "is of another form than expected"
    }
  }

  /// What is wrong with a tensor, `nil` when it is close enough to the expected one.
  ///
  /// Type and shape have to be the same; a NaN is equal to a NaN, an infinity to itself alone. Elements that are no plain
  /// numbers are compared by their bytes.
  /// - Throws: `FormatError` when elements cannot be read.
  public func difference(_ actual: Tensor, expected: Tensor) throws(FormatError) -> String? {
    guard actual.elementType == expected.elementType else {
      return "is \(actual.elementType.name), expected is \(expected.elementType.name)"
    }
    guard actual.shape == expected.shape else {
      return "has shape \(Shape(actual.shape)), expected is \(Shape(expected.shape))"
    }
    guard let values = try? actual.doubles() else {
      return try actual.hasSameElements(as: expected) ? nil : "has other \(actual.elementType.name) elements"
    }
    let isReal = actual.elementType.isFloatingPoint
    if !isReal, try actual.hasSameElements(as: expected) { return nil }
    let relative = !isReal ? 0 : actual.elementType == .bfloat16 ? max(relative, 1.0 / 64) : relative
    let absolute = isReal ? absolute : 0
    var wrong = 0
    var worst = (excess: 0.0, text: "")
    for (index, (left, right)) in zip(values, try expected.doubles()).enumerated() {
      if left == right || (left.isNaN && right.isNaN) { continue }
      let excess = abs(left - right) - (absolute + relative * abs(right))
      guard !(excess <= 0) else { continue }
      wrong += 1
      if wrong == 1 || excess > worst.excess { worst = (excess, "\(left) where \(right) is expected, at \(index)") }
    }
    // Integers beyond 2^53 may differ where their doubles do not.
    if wrong == 0, !isReal { return "has other \(actual.elementType.name) elements" }
    return wrong == 0 ? nil : "differs in \(wrong) of \(values.count) elements: \(worst.text)"
  }
}
