import Glibc
import NNFormat

/// Gradients of functions of one element, from the input x and the output y.
enum ActivationGradients {
  static let rules: [GradientRule] =
    [
      // Smooth functions, and kinks where the gradient from the left holds, as TensorFlow has it.
      rule("Relu") { _ in { dy, _, y in y > 0 ? dy : 0 } },
      rule("LeakyRelu") { node in
        let alpha = node.float("alpha", default: 0.01)
        return { dy, x, _ in x > 0 ? dy : alpha * dy }
      },
      rule("ThresholdedRelu") { node in
        let alpha = node.float("alpha", default: 1)
        return { dy, x, _ in x > alpha ? dy : 0 }
      },
      rule("Sigmoid") { _ in { dy, _, y in dy * y * (1 - y) } },
      rule("Tanh") { _ in { dy, _, y in dy * (1 - y * y) } },
      rule("Elu") { node in
        let alpha = node.float("alpha", default: 1)
        return { dy, x, y in x > 0 ? dy : dy * (y + alpha) }
      },
      rule("Celu") { node in
        let alpha = node.float("alpha", default: 1)
        return { dy, x, _ in x > 0 ? dy : dy * expf(x / alpha) }
      },
      rule("Selu") { node in
        let alpha = node.float("alpha", default: 1.673_263_2)
        let gamma = node.float("gamma", default: 1.050_701)
        return { dy, x, y in x > 0 ? dy * gamma : dy * (y + gamma * alpha) }
      },
      rule("Gelu") { node in node.text("approximate", default: "none") == "tanh" ? tanhGelu : gelu },
      rule("Softplus") { _ in { dy, x, _ in dy * sigmoid(x) } },
      rule("Softsign") { _ in
        { dy, x, _ in
          let denominator = 1 + abs(x)
          return dy / (denominator * denominator)
        }
      },
      rule("HardSigmoid") { node in
        let alpha = node.float("alpha", default: 0.2)
        return { dy, _, y in y > 0 && y < 1 ? dy * alpha : 0 }
      },
      rule("HardSwish") { _ in { dy, x, _ in x <= -3 ? 0 : x >= 3 ? dy : dy * (2 * x + 3) / 6 } },
      rule("Mish") { _ in
        { dy, x, _ in
          let t = tanhf(softplus(x))
          return dy * (t + x * (1 - t * t) * sigmoid(x))
        }
      },
      rule("Swish") { node in
        let alpha = node.float("alpha", default: 1)
        return { dy, x, _ in
          let s = sigmoid(alpha * x)
          return dy * (s + alpha * x * s * (1 - s))
        }
      },
      rule("Shrink") { node in
        let limit = node.float("lambd", default: 0.5)
        return { dy, x, _ in x < -limit || x > limit ? dy : 0 }
      },
    ] + elementary

  private static let elementary: [GradientRule] = [
    rule("Exp") { _ in { dy, _, y in dy * y } },
    rule("Log") { _ in { dy, x, _ in dy / x } },
    rule("Sqrt") { _ in { dy, _, y in dy / (2 * y) } },
    rule("Reciprocal") { _ in { dy, _, y in -dy * y * y } },
    rule("Abs") { _ in { dy, x, _ in x > 0 ? dy : x < 0 ? -dy : 0 } },
    rule("Neg") { _ in { dy, _, _ in -dy } },
    rule("Erf") { _ in { dy, x, _ in dy * 1.128_379_2 * expf(-x * x) } },
    rule("Sin") { _ in { dy, x, _ in dy * cosf(x) } },
    rule("Cos") { _ in { dy, x, _ in -dy * sinf(x) } },
    rule("Tan") { _ in { dy, _, y in dy * (1 + y * y) } },
    rule("Sinh") { _ in { dy, x, _ in dy * coshf(x) } },
    rule("Cosh") { _ in { dy, x, _ in dy * sinhf(x) } },
    rule("Asin") { _ in { dy, x, _ in dy / (1 - x * x).squareRoot() } },
    rule("Acos") { _ in { dy, x, _ in -dy / (1 - x * x).squareRoot() } },
    rule("Atan") { _ in { dy, x, _ in dy / (1 + x * x) } },
    rule("Asinh") { _ in { dy, x, _ in dy / (1 + x * x).squareRoot() } },
    rule("Acosh") { _ in { dy, x, _ in dy / ((x - 1) * (x + 1)).squareRoot() } },
    rule("Atanh") { _ in { dy, x, _ in dy / (1 - x * x) } },
  ]

  /// The input's gradient from the output's gradient, the input and the output.
  typealias Derivative = @Sendable (_ dy: Float, _ x: Float, _ y: Float) -> Float

  private static func rule(_ name: String, _ derivative: @escaping @Sendable (Node) -> Derivative) -> GradientRule {
    GradientRule(name) { (context) throws(EngineError) in
      let function = derivative(context.node)
      return GradientWork { memory throws(EngineError) in
        guard let target = memory.inputGradient(0) else { return }
        let (dy, x, y) = (memory.outputGradient(0), memory.input(0), memory.output(0))
        switch name {
        // The three that networks are full of, in loops that the compiler turns into vectors.
        case "Relu": for index in 0..<target.count { target[index] = y[index] > 0 ? dy[index] : 0 }
        case "Sigmoid": for index in 0..<target.count { target[index] = dy[index] * y[index] * (1 - y[index]) }
        case "Tanh": for index in 0..<target.count { target[index] = dy[index] * (1 - y[index] * y[index]) }
        default: for index in 0..<target.count { target[index] = function(dy[index], x[index], y[index]) }
        }
      }
    }
  }

  private static func sigmoid(_ x: Float) -> Float { 1 / (1 + expf(-x)) }
  private static func softplus(_ x: Float) -> Float { max(x, 0) + log1pf(expf(-abs(x))) }

  /// Phi(x) + x phi(x) of the normal distribution.
  private static let gelu: Derivative = { dy, x, _ in
    dy * (0.5 * (1 + erff(x * 0.707_106_77)) + x * 0.398_942_3 * expf(-0.5 * x * x))
  }

  private static let tanhGelu: Derivative = { dy, x, _ in
    let inner = 0.797_884_6 * (x + 0.044_715 * x * x * x)
    let t = tanhf(inner)
    return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * 0.797_884_6 * (1 + 3 * 0.044_715 * x * x))
  }
}
