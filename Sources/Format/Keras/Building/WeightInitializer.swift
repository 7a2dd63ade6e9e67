import Glibc

/// How the first values of a variable are drawn. The formulas are those of Keras; the numbers of a seed are this library's.
public enum WeightInitializer: String, Sendable, CaseIterable {
  case glorotUniform = "glorot_uniform"
  case glorotNormal = "glorot_normal"
  case heUniform = "he_uniform"
  case heNormal = "he_normal"
  case lecunUniform = "lecun_uniform"
  case lecunNormal = "lecun_normal"
  case randomUniform = "random_uniform"
  case randomNormal = "random_normal"
  case truncatedNormal = "truncated_normal"
  case orthogonal
  case zeros
  case ones

  /// Values for a variable.
  ///
  /// - Parameter shape: the first extent is what goes in, the last what comes out, those before the first two count as
  ///   windows.
  public func values(_ shape: [Int], random: inout SeededRandom) -> Tensor {
    let count = shape.reduce(1, *)
    let window = shape.dropLast(2).reduce(1, *)
    let fanIn = Double(shape.count < 2 ? max(count, 1) : shape[shape.count - 2] * window)
    let fanOut = Double(shape.count < 2 ? max(count, 1) : shape[shape.count - 1] * window)
    let values: [Double]
    switch self {
    case .zeros: values = Array(repeating: 0, count: count)
    case .ones: values = Array(repeating: 1, count: count)
    case .randomUniform: values = Self.uniform(count, 0.05, &random)
    case .randomNormal: values = (0..<count).map { _ in 0.05 * random.normal() }
    case .truncatedNormal: values = Self.truncated(count, 0.05, &random)
    case .orthogonal: values = Self.orthogonal(shape, &random)
    case .glorotUniform: values = Self.uniform(count, (6 / (fanIn + fanOut)).squareRoot(), &random)
    case .heUniform: values = Self.uniform(count, (6 / fanIn).squareRoot(), &random)
    case .lecunUniform: values = Self.uniform(count, (3 / fanIn).squareRoot(), &random)
    case .glorotNormal: values = Self.scaled(count, 2 / (fanIn + fanOut), &random)
    case .heNormal: values = Self.scaled(count, 2 / fanIn, &random)
    case .lecunNormal: values = Self.scaled(count, 1 / fanIn, &random)
    }
    return Tensor(values.map { Float($0) }, shape: shape)
  }

  private static func uniform(_ count: Int, _ limit: Double, _ random: inout SeededRandom) -> [Double] {
    (0..<count).map { _ in (2 * random.unit() - 1) * limit }
  }

  /// Normal numbers within two deviations; others are drawn again.
  private static func truncated(_ count: Int, _ deviation: Double, _ random: inout SeededRandom) -> [Double] {
    (0..<count).map { _ in
      var value = random.normal()
      while abs(value) > 2 { value = random.normal() }
      return value * deviation
    }
  }

  /// Truncated normal numbers that have the variance in spite of being cut: 0.8796 is the deviation of what is left.
  private static func scaled(_ count: Int, _ variance: Double, _ random: inout SeededRandom) -> [Double] {
    truncated(count, variance.squareRoot() / 0.879_625_661_034_239_78, &random)
  }

  /// Rows or columns, whichever are fewer, of length one at right angles to each other (Saxe and others, 2013), by
  /// Gram and Schmidt in double precision.
  private static func orthogonal(_ shape: [Int], _ random: inout SeededRandom) -> [Double] {
    let columns = shape.last ?? 1
    let rows = shape.dropLast().reduce(1, *)
    let (short, long) = (min(rows, columns), max(rows, columns))
    var vectors: [[Double]] = []
    while vectors.count < short {
      var vector = (0..<long).map { _ in random.normal() }
      for _ in 0..<2 {
        for other in vectors {
          let product = zip(vector, other).reduce(0) { $0 + $1.0 * $1.1 }
          for index in vector.indices { vector[index] -= product * other[index] }
        }
      }
      let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard length > 1e-6 else { continue }
      vectors.append(vector.map { $0 / length })
    }
    return (0..<rows * columns).map { place in
      let (row, column) = (place / columns, place % columns)
      return rows <= columns ? vectors[row][column] : vectors[column][row]
    }
  }
}

/// Random numbers in an order that a seed decides (SplitMix64 of Steele, Lea and Flood, 2014).
public struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// The numbers of a seed.
  public init(seed: UInt64) { state = seed }

  /// 64 random bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Uniform in 0 ..< 1.
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Standard normal, by Box and Muller.
  public mutating func normal() -> Double {
    let (u, v) = (unit(), unit())
    return (-2 * log(1 - u)).squareRoot() * cos(2 * Double.pi * v)
  }
}
