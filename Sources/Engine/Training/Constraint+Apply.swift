import NNFormat

extension Constraint {
  /// Brings a parameter to what the constraint allows.
  func apply(to values: Floats, shape: [Int]) {
    switch self {
    case .nonNegative:
      for index in 0..<values.count where !(values[index] >= 0) { values[index] = values[index].isNaN ? .nan : 0 }
    case .maxNorm(let limit, let axes):
      scale(values, shape, axes) { norm in min(max(norm, 0), limit) / (1e-7 + norm) }
    case .unitNorm(let axes): scale(values, shape, axes) { norm in 1 / (1e-7 + norm) }
    case .minMaxNorm(let low, let high, let rate, let axes):
      scale(values, shape, axes) { norm in
        (rate * min(max(norm, low), high) + (1 - rate) * norm) / (1e-7 + norm)
      }
    }
  }

  /// Multiplies each line along axes by a function of its length.
  private func scale(_ values: Floats, _ shape: [Int], _ axes: [Int], _ factor: (Float) -> Float) {
    let reduced = axes.map { $0 < 0 ? $0 + shape.count : $0 }
    let kept = shape.enumerated().map { reduced.contains($0) ? 1 : $1 }
    let nest = LoopNest(shape, strides: [Extents.strides(shape), Extents.strides(of: kept, in: shape)])
    var squares = [Float](repeating: 0, count: kept.reduce(1, *))
    ElementwiseGradients.forEach(nest) { place, line in squares[line] += values[place] * values[place] }
    let factors = squares.map { factor($0.squareRoot()) }
    ElementwiseGradients.forEach(nest) { place, line in values[place] *= factors[line] }
  }
}
