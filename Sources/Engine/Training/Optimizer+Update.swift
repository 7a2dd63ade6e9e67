import Glibc
import NNFormat

extension Optimizer {
  /// What a slot holds before the first step.
  func initialValue(ofSlot index: Int) -> Float {
    switch rule {
    case .adagrad(let initial, _): initial
    case .ftrl(let initial, _, _, _, _): index == 0 ? initial : 0
    default: 0
    }
  }

  /// The kernel of the rule.
  var kernel: OptimizerKernel {
    switch rule {
    case .sgd(let momentum, let nesterov): momentum == 0 ? .sgd : nesterov ? .nesterov : .momentum
    case .rmsprop(_, let momentum, _, let centered):
      momentum > 0 ? (centered ? .rmspropCenteredMomentum : .rmspropMomentum) : centered ? .rmspropCentered : .rmsprop
    case .adam(_, _, _, let amsgrad): amsgrad ? .amsgrad : .adam
    case .adamax: .adamax
    case .nadam: .nadam
    case .adagrad: .adagrad
    case .adadelta: .adadelta
    case .lion: .lion
    case .ftrl: .ftrl
    }
  }

  /// The product of the momentum factors of Nadam after another step.
  func nextProduct(_ product: Float, step: Int) -> Float {
    guard case .nadam(let beta1, _, _) = rule else { return product }
    return product * Float(beta1) * (1 - 0.5 * powf(0.96, Float(step + 1)))
  }

  /// Writes the numbers of the kernel for one step.
  ///
  /// - Parameters:
  ///   - step: steps made before this one.
  ///   - rate: the learning rate of the step.
  ///   - product: what `nextProduct` gives for the step.
  ///   - numbers: room for 9.
  func write(step: Int, rate: Float, product: Float, to numbers: Floats) {
    let local = Float(step + 1)
    numbers[0] = rate
    switch rule {
    case .sgd(let momentum, _): numbers[1] = momentum
    case .rmsprop(let rho, let momentum, let epsilon, _):
      (numbers[1], numbers[2], numbers[3], numbers[4]) = (Float(rho), Float(1 - rho), epsilon, momentum)
    case .adam(let beta1, let beta2, let epsilon, _):
      let (power1, power2) = (powf(Float(beta1), local), powf(Float(beta2), local))
      numbers[0] = rate * (1 - power2).squareRoot() / (1 - power1)
      (numbers[1], numbers[2], numbers[3]) = (Float(1 - beta1), Float(1 - beta2), epsilon)
    case .adamax(let beta1, let beta2, let epsilon):
      (numbers[1], numbers[2], numbers[3]) = (Float(1 - beta1), Float(beta2), epsilon)
      numbers[4] = 1 - powf(Float(beta1), local)
    case .nadam(let beta1, let beta2, let epsilon):
      let (b1, b2) = (Float(beta1), Float(beta2))
      let now = b1 * (1 - 0.5 * powf(0.96, local))
      let next = b1 * (1 - 0.5 * powf(0.96, local + 1))
      (numbers[1], numbers[2], numbers[3], numbers[4]) = (1 - b1, 1 - b2, epsilon, 1 - powf(b2, local))
      (numbers[5], numbers[6], numbers[7], numbers[8]) = (next, 1 - product * next, 1 - now, 1 - product)
    case .adagrad(_, let epsilon): numbers[1] = epsilon
    case .adadelta(let rho, let epsilon):
      (numbers[1], numbers[2], numbers[3]) = (Float(rho), Float(1 - rho), epsilon)
    case .lion(let beta1, let beta2):
      (numbers[1], numbers[2]) = (Float(beta1), 1 - Float(beta1))
      (numbers[3], numbers[4]) = (Float(beta2), 1 - Float(beta2))
    case .ftrl(_, let l1, let l2, let shrinkage, let beta):
      (numbers[1], numbers[2], numbers[3]) = (l1, 2 * (l2 + beta / (2 * rate)), 2 * shrinkage)
    }
  }
}
