import Glibc

/// The learning rate at each step.
public indirect enum Schedule: Sendable, Hashable {
  case constant(Double)
  /// initial * rate ^ (step / steps), the quotient whole when `staircase`.
  case exponential(initial: Double, steps: Double, rate: Double, staircase: Bool = false)
  /// The value of the interval that the step falls into; one value more than boundaries.
  case steps(boundaries: [Double], values: [Double])
  /// From `initial` down to `initial * alpha` along half a cosine over `steps`, after a linear rise from `initial` to
  /// `target` over `warmup` steps, when there is a target.
  case cosine(initial: Double, steps: Double, alpha: Double = 0, target: Double? = nil, warmup: Double = 0)
  /// (initial - end) (1 - step / steps) ^ power + end.
  case polynomial(initial: Double, steps: Double, end: Double = 0.0001, power: Double = 1, cycle: Bool = false)
  /// initial / (1 + rate * step / steps).
  case inverseTime(initial: Double, steps: Double, rate: Double, staircase: Bool = false)

  /// The rate at a step, counted from 0, in single precision as the formulas are evaluated.
  public func rate(at step: Int) -> Float {
    let step = Float(step)
    switch self {
    case .constant(let rate): return Float(rate)
    case .exponential(let initial, let steps, let rate, let staircase):
      let quotient = step / Float(steps)
      return Float(initial) * powf(Float(rate), staircase ? quotient.rounded(.down) : quotient)
    case .steps(let boundaries, let values):
      let index = boundaries.firstIndex { step <= Float($0) } ?? boundaries.count
      return Float(values.indices.contains(index) ? values[index] : values.last ?? 0)
    case .cosine(let initial, let steps, let alpha, let target, let warmup):
      return Self.cosine(step, initial, steps, alpha, target, warmup)
    case .polynomial(let initial, let steps, let end, let power, let cycle):
      var length = Float(steps)
      var step = step
      if cycle { length *= step == 0 ? 1 : (step / Float(steps)).rounded(.up) } else { step = min(step, length) }
      return (Float(initial) - Float(end)) * powf(1 - step / length, Float(power)) + Float(end)
    case .inverseTime(let initial, let steps, let rate, let staircase):
      let quotient = step / Float(steps)
      return Float(initial) / (1 + Float(rate) * (staircase ? quotient.rounded(.down) : quotient))
    }
  }

  private static func cosine(
    _ step: Float, _ initial: Double, _ steps: Double, _ alpha: Double, _ target: Double?, _ warmup: Double
  ) -> Float {
    func decayed(_ peak: Float, _ done: Float) -> Float {
      let share = min(max(done, 0), Float(steps)) / Float(steps)
      let cosine = 0.5 * (1 + cosf(Float.pi * share))
      return peak * ((1 - Float(alpha)) * cosine + Float(alpha))
    }
    guard let target else { return decayed(Float(initial), step) }
    if step < Float(warmup) {
      return step / Float(warmup) * (Float(target) - Float(initial)) + Float(initial)
    }
    return decayed(Float(target), step - Float(warmup))
  }
}
