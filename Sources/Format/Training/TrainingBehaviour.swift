/// What training does at a node that the graph, being one for inference, does not say.
public struct TrainingBehaviour: Sendable, Hashable {
  /// The share of a running statistic that stays at each step; `nil` leaves statistics and normalisation as at inference.
  public var statisticsMomentum: Float?
  /// Noise where the graph says identity.
  public var noise: TrainingNoise?
  /// Axes of which one random decision is shared, for dropout of whole features; counted with the batch.
  public var sharedAxes: [Int] = []

  /// Nothing beyond the graph.
  public init() {}
}

/// Noise that training puts where inference has an identity.
public enum TrainingNoise: Sendable, Hashable {
  /// x + a normal number of this deviation.
  case gaussian(deviation: Float)
  /// x times a normal number about 1, of deviation sqrt(rate / (1 - rate)).
  case gaussianDropout(rate: Float)
  /// Values are set to a constant below zero, and the rest scaled and shifted so that mean and variance stay
  /// (Klambauer and others, 2017).
  case alphaDropout(rate: Float)
}
