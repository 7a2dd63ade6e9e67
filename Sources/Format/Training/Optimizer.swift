/// An optimizer: how parameters change by their gradients. The formulas and their order of operations are those that
/// networks trained elsewhere continue with; the papers are named at each case.
public struct Optimizer: Sendable, Hashable {
  /// The update rule with its numbers.
  public enum Rule: Sendable, Hashable {
    /// Stochastic gradient descent with momentum (Polyak, 1964), or Nesterov's (1983).
    case sgd(momentum: Float = 0, nesterov: Bool = false)
    /// Hinton's lecture 6e of 2012; `centered` takes the variance instead of the mean square.
    case rmsprop(rho: Double = 0.9, momentum: Float = 0, epsilon: Float = 1e-7, centered: Bool = false)
    /// Kingma and Ba, 2014; AMSGrad by Reddi and others, 2018.
    case adam(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Float = 1e-7, amsgrad: Bool = false)
    /// Kingma and Ba, 2014, section 7.
    case adamax(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Float = 1e-7)
    /// Dozat, 2015.
    case nadam(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Float = 1e-7)
    /// Duchi and others, 2011.
    case adagrad(initialAccumulator: Float = 0.1, epsilon: Float = 1e-7)
    /// Zeiler, 2012.
    case adadelta(rho: Double = 0.95, epsilon: Float = 1e-7)
    /// Chen and others, 2023.
    case lion(beta1: Double = 0.9, beta2: Double = 0.99)
    /// McMahan and others, 2013, with the power -1/2 of the accumulator.
    case ftrl(initialAccumulator: Float = 0.1, l1: Float = 0, l2: Float = 0, shrinkage: Float = 0, beta: Float = 0)
  }

  /// How gradients are kept from growing too large.
  public enum Clipping: Sendable, Hashable {
    case none
    /// Each element within -x ... x.
    case value(Float)
    /// The length of each parameter's gradient at most x.
    case norm(Float)
    /// The length of all gradients together at most x.
    case globalNorm(Float)
  }

  /// The update rule.
  public var rule: Rule
  /// How far a step goes.
  public var learningRate: Schedule
  /// The share of a parameter that each step takes away, times the learning rate, before the update; `nil` for none.
  public var weightDecay: Float?
  /// Limits of the gradients.
  public var clipping: Clipping
  /// A moving average of the parameters, which takes their place at the end of a training.
  public var averaging: Averaging?
  /// Batches whose gradients are averaged for one update.
  public var accumulationSteps = 1

  /// A moving average of the parameters.
  public struct Averaging: Sendable, Hashable {
    /// The share of the average that stays at a step.
    public var momentum: Float
    /// Updates after which the average takes the parameters' place each time; `nil` for the end of a training alone.
    public var overwriteFrequency: Int?

    /// An average.
    public init(momentum: Float = 0.99, overwriteFrequency: Int? = nil) {
      (self.momentum, self.overwriteFrequency) = (momentum, overwriteFrequency)
    }
  }

  /// An optimizer.
  public init(
    _ rule: Rule, learningRate: Schedule, weightDecay: Float? = nil, clipping: Clipping = .none
  ) {
    self.rule = rule
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.clipping = clipping
  }

  /// Adam with a constant learning rate.
  public static func adam(_ learningRate: Double = 0.001) -> Optimizer {
    Optimizer(.adam(), learningRate: .constant(learningRate))
  }

  /// Stochastic gradient descent with a constant learning rate.
  public static func sgd(_ learningRate: Double = 0.01, momentum: Float = 0, nesterov: Bool = false) -> Optimizer {
    Optimizer(.sgd(momentum: momentum, nesterov: nesterov), learningRate: .constant(learningRate))
  }

  /// The names of all values that are kept for each parameter: those of the rule, then those of averages.
  public var slotNames: [String] {
    ruleSlotNames + (averaging == nil ? [] : [Self.averageSlot])
      + (accumulationSteps > 1 ? [Self.accumulatorSlot] : [])
  }

  /// The slot of the moving average.
  public static let averageSlot = "average"
  /// The slot of the gradients that wait for an update.
  public static let accumulatorSlot = "gradient_accumulator"

  /// The names of the values that the rule keeps for each parameter, in the kernel's order.
  public var ruleSlotNames: [String] {
    switch rule {
    case .sgd(let momentum, _): momentum == 0 ? [] : ["momentum"]
    case .rmsprop(_, let momentum, _, let centered):
      ["velocity"] + (momentum > 0 ? ["momentum"] : []) + (centered ? ["average_gradient"] : [])
    case .adam(_, _, _, let amsgrad): ["momentum", "velocity"] + (amsgrad ? ["velocity_hat"] : [])
    case .adamax: ["momentum", "norm"]
    case .nadam: ["momentum", "velocity"]
    case .adagrad: ["accumulator"]
    case .adadelta: ["accumulated_grad", "accumulated_delta_var"]
    case .lion: ["momentum"]
    case .ftrl: ["accumulator", "linear"]
    }
  }
}
