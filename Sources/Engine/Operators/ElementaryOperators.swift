import Glibc
import NNFormat

/// Trigonometric and hyperbolic functions, roundings, and tests of what a number is.
package enum ElementaryOperators {
  package static let rows: [OperatorImplementation] = [
    function("Sin") { Glibc.sin($0) }, function("Cos") { Glibc.cos($0) }, function("Tan") { Glibc.tan($0) },
    function("Asin") { Glibc.asin($0) }, function("Acos") { Glibc.acos($0) }, function("Atan") { Glibc.atan($0) },
    function("Sinh") { Glibc.sinh($0) }, function("Cosh") { Glibc.cosh($0) },
    function("Asinh") { Glibc.asinh($0) }, function("Acosh") { Glibc.acosh($0) }, function("Atanh") { Glibc.atanh($0) },
    rounding("Floor", .down), rounding("Ceil", .up), rounding("Round", .toNearestOrEven),
    OperatorImplementation("IsNaN") { context throws(EngineError) in
      try real(context, TestMaker(name: "isNaN", findsNaN: true))
    },
    OperatorImplementation("IsInf") { context throws(EngineError) in
      try real(
        context,
        TestMaker(
          name: "isInf", findsNegative: context.int("detect_negative", default: 1) != 0,
          findsPositive: context.int("detect_positive", default: 1) != 0))
    },
    OperatorImplementation("Shrink") { context throws(EngineError) in
      let maker = ShrinkMaker(
        bias: Double(context.float("bias", default: 0)), threshold: Double(context.float("lambd", default: 0.5)))
      return try ScalarTypes.numeric(context.type(0), maker, context)
    },
  ]

  /// A function that float32 takes in double precision too, so that its results are rounded once.
  private static func function(
    _ name: String, _ function: @escaping @Sendable (Double) -> Double
  ) -> OperatorImplementation {
    OperatorImplementation(name) { context throws(EngineError) in
      try real(context, FunctionMaker(name: name.lowercased(), function: function))
    }
  }

  private static func rounding(_ name: String, _ rule: FloatingPointRoundingRule) -> OperatorImplementation {
    OperatorImplementation(name) { context throws(EngineError) in
      try real(context, RoundingMaker(name: name.lowercased(), rule: rule))
    }
  }

  private static func real<V: RealVisitor>(_ context: NodeContext, _ visitor: V) throws(EngineError) -> any Step
  where V.Result == any Step {
    let type = try context.type(0)
    guard let step = ScalarTypes.real(type, visitor) else { throw context.unsupported(type) }
    return step
  }
}

private struct FunctionMaker: RealVisitor {
  let name: String
  let function: @Sendable (Double) -> Double

  func visit<T: RealScalar>(_: T.Type) -> any Step {
    let function = function
    return UnaryStep(name, T.self, T.self) { T(function(Double($0))) }
  }
}

private struct RoundingMaker: RealVisitor {
  let name: String
  let rule: FloatingPointRoundingRule

  func visit<T: RealScalar>(_: T.Type) -> any Step {
    let rule = rule
    return UnaryStep(name, T.self, T.self) { $0.rounded(rule) }
  }
}

private struct TestMaker: RealVisitor {
  let name: String
  var findsNaN = false
  var findsNegative = false
  var findsPositive = false

  func visit<T: RealScalar>(_: T.Type) -> any Step {
    let (nan, negative, positive) = (findsNaN, findsNegative, findsPositive)
    return LogicStep.from(
      UnaryStep(name, T.self, UInt8.self) { value in
        (nan && value.isNaN) || (negative && value == -.infinity) || (positive && value == .infinity) ? 1 : 0
      })
  }
}

/// x + bias below -threshold, x - bias above it, and 0 between; integers are computed in double precision and truncated.
private struct ShrinkMaker: ArithmeticOperators.StepMaker {
  let bias: Double
  let threshold: Double

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    let shrunk = shrunk
    return UnaryStep("shrink", T.self, T.self) { T(saturating: shrunk(Double($0)).rounded(.towardZero)) }
  }

  func visit<T: RealScalar>(_: T.Type) -> any Step {
    let shrunk = shrunk
    return UnaryStep("shrink", T.self, T.self) { T(shrunk(Double($0))) }
  }

  private var shrunk: @Sendable (Double) -> Double {
    let (bias, threshold) = (bias, threshold)
    return { $0 < -threshold ? $0 + bias : $0 > threshold ? $0 - bias : $0.isNaN ? .nan : 0 }
  }
}

extension FixedWidthInteger {
  /// The whole number, or the nearest one that the type has; 0 for NaN.
  init(saturating whole: Double) {
    self = whole.isNaN ? 0 : Self(exactly: whole) ?? (whole < 0 ? .min : .max)
  }
}
