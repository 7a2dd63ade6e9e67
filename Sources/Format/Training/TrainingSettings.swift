/// A penalty on the size of a value: l1 times the sum of magnitudes and l2 times the sum of squares.
public struct Penalty: Sendable, Hashable {
  /// The factor of the magnitudes.
  public var l1: Float
  /// The factor of the squares.
  public var l2: Float

  /// A penalty.
  public init(l1: Float = 0, l2: Float = 0) { (self.l1, self.l2) = (l1, l2) }
}

/// What a parameter is brought to after each step.
public enum Constraint: Sendable, Hashable {
  /// Lengths along axes at most `limit`.
  case maxNorm(limit: Float, axes: [Int])
  /// No element below zero.
  case nonNegative
  /// Lengths along axes of one.
  case unitNorm(axes: [Int])
  /// Lengths along axes moved by `rate` towards the range.
  case minMaxNorm(low: Float, high: Float, rate: Float, axes: [Int])
}

/// A constant of a graph that training changes.
public struct TrainableParameter: Sendable, Hashable {
  /// The initializer's name.
  public var name: String
  /// What its size costs.
  public var penalty: Penalty?
  /// What it is brought to after each step.
  public var constraint: Constraint?
  /// Whether the optimizer's weight decay holds for it.
  public var decays = true

  /// A parameter without penalty and constraint.
  public init(_ name: String, penalty: Penalty? = nil, constraint: Constraint? = nil) {
    self.name = name
    self.penalty = penalty
    self.constraint = constraint
  }
}

/// One of several outputs that are trained together.
public struct TrainingOutput: Sendable, Hashable {
  /// The output's name in the graph.
  public var name: String
  /// What is made small.
  public var loss: Loss
  /// How much the loss counts in the whole.
  public var weight: Double
  /// What is reported beside the loss.
  public var metrics: [Metric]

  /// An output.
  public init(_ name: String, loss: Loss, weight: Double = 1, metrics: [Metric] = []) {
    (self.name, self.loss, self.weight, self.metrics) = (name, loss, weight, metrics)
  }
}

/// How a network is trained.
public struct TrainingSettings: Sendable {
  /// What is made small.
  public var loss: Loss
  /// How.
  public var optimizer: Optimizer
  /// What is reported beside the loss.
  public var metrics: [Metric]
  /// The outputs of a network that has several, in the order of the targets; `nil` for one output with `loss` and
  /// `metrics`.
  public var outputs: [TrainingOutput]?
  /// The parameters in the optimizer's order; `nil` for all that a gradient reaches, in graph order.
  public var parameters: [TrainableParameter]?
  /// What training does at nodes beyond what the graph says, by the node's name.
  public var behaviours: [String: TrainingBehaviour]
  /// Penalties on values by name.
  public var activityPenalties: [String: Penalty]
  /// Whether normalisations without an entry in `behaviours` use the batch's statistics; the share of the running ones
  /// that stays at a step.
  public var statisticsMomentum: Float? = 0.99
  /// Where random numbers start: shuffling, dropout and noise.
  public var seed: UInt64

  /// Settings for a loss and an optimizer.
  public init(loss: Loss, optimizer: Optimizer, metrics: [Metric] = [], seed: UInt64 = 0) {
    self.loss = loss
    self.optimizer = optimizer
    self.metrics = metrics
    self.seed = seed
    outputs = nil
    parameters = nil
    behaviours = [:]
    activityPenalties = [:]
  }
}
