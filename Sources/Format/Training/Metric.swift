/// A number about predictions and targets that is reported over an epoch.
public struct Metric: Sendable, Hashable {
  /// The formula.
  public enum Kind: Sendable, Hashable {
    /// Binary, categorical or by class number, whichever fits loss and output.
    case accuracy
    case binaryAccuracy(threshold: Float = 0.5)
    case categoricalAccuracy
    case sparseCategoricalAccuracy
    /// The share of rows whose class is among the k best.
    case topK(Int)
    case precision(threshold: Float = 0.5)
    case recall(threshold: Float = 0.5)
    /// The F1 scores of the classes in one number. Without a threshold the best class of a row is the predicted one.
    case f1(average: F1Average = .macro, threshold: Float? = nil)
    /// The area under the curve of true over false positives, or of precision over recall, by thresholds.
    case areaUnderCurve(thresholds: Int = 200, isPrecisionRecall: Bool = false)
    case rootMeanSquaredError
    /// The mean of a loss over rows.
    case loss(Loss)
  }

  /// How the classes' scores become one.
  public enum F1Average: String, Sendable, Hashable {
    /// Their mean.
    case macro
    /// The score of all classes counted together.
    case micro
    /// Their mean by how often each class occurs.
    case weighted
  }

  /// What reports call it.
  public var name: String
  /// The formula.
  public var kind: Kind

  /// A metric.
  public init(_ name: String, _ kind: Kind) { (self.name, self.kind) = (name, kind) }

  /// `accuracy`.
  public static let accuracy = Metric("accuracy", .accuracy)
}
