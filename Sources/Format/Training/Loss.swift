/// What training makes small: a number for each row of predictions and its gradient.
public struct Loss: Sendable, Hashable {
  /// The formula. A row is the last axis of the predictions.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    case categoricalCrossEntropy
    case sparseCategoricalCrossEntropy
    case binaryCrossEntropy
    case meanSquaredError
    case meanAbsoluteError
    case meanAbsolutePercentageError
    case meanSquaredLogarithmicError
    case huber
    case logCosh
    case klDivergence
    case poisson
    case hinge
    case squaredHinge
    case categoricalHinge
    case cosineSimilarity
    case binaryFocalCrossEntropy
    case categoricalFocalCrossEntropy
  }

  /// What is divided by.
  public enum Reduction: Sendable, Hashable {
    /// The sum over the rows.
    case sum
    /// The sum divided by the number of rows.
    case meanOverRows
    /// The sum divided by the sum of the rows' weights.
    case meanOverWeights
  }

  /// The formula.
  public var kind: Kind
  /// Whether predictions are what softmax or sigmoid is still to be applied to.
  public var fromLogits = false
  /// The share of a label that is spread over the classes.
  public var labelSmoothing = 0.0
  /// Where Huber's loss becomes linear.
  public var delta = 1.0
  /// The exponent of focal losses.
  public var gamma = 2.0
  /// The weight of focal losses.
  public var alpha = 0.25
  /// Whether binary focal loss weights the classes by `alpha`.
  public var balancesClasses = false
  /// What is divided by.
  public var reduction = Reduction.meanOverRows

  /// A loss with the usual numbers.
  public init(_ kind: Kind) { self.kind = kind }

  /// Between probabilities and one-hot targets.
  public static let categoricalCrossEntropy = Loss(.categoricalCrossEntropy)
  /// Between probabilities and class numbers.
  public static let sparseCategoricalCrossEntropy = Loss(.sparseCategoricalCrossEntropy)
  /// Between probabilities and 0 or 1.
  public static let binaryCrossEntropy = Loss(.binaryCrossEntropy)
  /// The mean of squared differences.
  public static let meanSquaredError = Loss(.meanSquaredError)
  /// The mean of absolute differences.
  public static let meanAbsoluteError = Loss(.meanAbsoluteError)
  /// Squared near zero, linear beyond `delta`.
  public static let huber = Loss(.huber)
  /// The divergence of Kullback and Leibler.
  public static let klDivergence = Loss(.klDivergence)
  /// The margin below 1.
  public static let hinge = Loss(.hinge)
  /// Minus the cosine of the angle.
  public static let cosineSimilarity = Loss(.cosineSimilarity)

  /// Whether labels can be smoothed.
  public var smoothsLabels: Bool {
    switch kind {
    case .categoricalCrossEntropy, .binaryCrossEntropy, .binaryFocalCrossEntropy, .categoricalFocalCrossEntropy: true
    default: false
    }
  }

  /// Whether targets are class numbers, not values.
  public var takesClasses: Bool { kind == .sparseCategoricalCrossEntropy }
}
