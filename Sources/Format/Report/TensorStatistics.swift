/// The spread of a tensor's elements. NaN and infinite elements are counted apart and left out of the other figures.
public struct TensorStatistics: Sendable, Hashable {
  /// The smallest finite element; infinite when there is none.
  public var minimum = Double.infinity
  /// The largest finite element; negatively infinite when there is none.
  public var maximum = -Double.infinity
  /// The mean of the finite elements.
  public var mean = 0.0
  /// The population standard deviation.
  public var standardDeviation = 0.0
  /// How many elements are zero.
  public var zeros = 0
  /// How many elements are NaN.
  public var nan = 0
  /// How many elements are infinite.
  public var infinite = 0

  /// Reads all elements once.
  ///
  /// - Throws: `FormatError` when the elements cannot be read or are not plain numbers.
  public init(_ tensor: Tensor) throws(FormatError) {
    var count = 0.0
    var squares = 0.0
    try tensor.forEachDouble { value in
      if value.isNaN {
        nan += 1
      } else if value.isInfinite {
        infinite += 1
      } else {
        minimum = min(minimum, value)
        maximum = max(maximum, value)
        if value == 0 { zeros += 1 }
        // Welford's update keeps its digits where a plain sum of squares would lose them.
        count += 1
        let delta = value - mean
        mean += delta / count
        squares += delta * (value - mean)
      }
    }
    standardDeviation = count > 0 ? (squares / count).squareRoot() : 0
  }
}

extension ModelReport {
  /// Reads every weight for its statistics; damaged values and unreadable weights become findings.
  mutating func addStatistics(of file: ModelFile) {
    let stored: [String: Tensor]
    switch file.content {
    case .keras(let model):
      stored = Dictionary(model.weights.compactMap { weight in (try? weight.tensor()).map { (weight.path, $0) } }) {
        first, _ in first
      }
    case .onnx(let model):
      stored = Dictionary(model.graph.initializers.map { ($0.name, $0.tensor) }) { first, _ in first }
    }
    for index in tensors.indices {
      let row = tensors[index]
      guard let tensor = stored[row.place] else { continue }
      do throws(FormatError) {
        let statistics = try TensorStatistics(tensor)
        tensors[index].statistics = statistics
        if statistics.nan > 0 {
          findings.append(
            Finding(.warning, "nan-weights", "\(statistics.nan) of \(tensor.count) elements are NaN", at: row.name))
        }
        if statistics.infinite > 0 {
          findings.append(
            Finding(
              .warning, "infinite-weights", "\(statistics.infinite) of \(tensor.count) elements are infinite",
              at: row.name))
        }
      } catch {
        guard error.kind != .unsupported else { continue }
        findings.append(Finding(error, code: "unreadable-weight", at: row.place))
      }
    }
  }
}
