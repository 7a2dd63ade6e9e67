internal import CKernels

/// An element-wise function. An element's result depends on its value alone, not on its place or on the batch.
///
/// The error is at most 2 units in the last place or 1e-6 relative, subnormal results excepted (one subnormal step,
/// times |x| for `silu`, `gelu` and `mish`); `geluTanh` is within 1e-6 relative or 1e-8 absolute; `swish`, whose inner
/// product is rounded, 1e-6 relative or 1e-12 absolute; `hardSigmoid`, whose product is rounded before the sum, 1e-6
/// relative or 1e-7 absolute. NaN gives NaN.
/// Where a formula reads inf * 0 the limit is returned.
package enum Activation: Sendable, Hashable {
  case identity
  /// max(x, 0)
  case relu
  /// x, or slope x below 0
  case leakyRelu(slope: Float)
  /// 1 / (1 + e^-x)
  case sigmoid
  case tanh
  /// x, or alpha (e^x - 1) below 0
  case elu(alpha: Float)
  /// gamma x, or gamma alpha (e^x - 1) below 0
  case selu(alpha: Float, gamma: Float)
  /// x, or alpha (e^(x / alpha) - 1) below 0
  case celu(alpha: Float)
  /// x / 2 (1 + erf(x / sqrt 2))
  case gelu
  /// x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
  case geluTanh
  /// x / (1 + e^-x)
  case silu
  /// x / (1 + e^(-alpha x))
  case swish(alpha: Float)
  /// ln(1 + e^x)
  case softplus
  /// x / (1 + |x|)
  case softsign
  /// max(0, min(1, alpha x + beta))
  case hardSigmoid(alpha: Float, beta: Float)
  /// x max(0, min(6, x + 3)) / 6
  case hardSwish
  /// x tanh(ln(1 + e^x))
  case mish
  /// min(max(x, low), high)
  case clip(low: Float, high: Float)
  /// x above alpha, otherwise 0
  case thresholdedRelu(alpha: Float)
  case exp
  /// Natural logarithm; NaN below 0
  case log
  case sqrt
  case reciprocal
  case abs
  case negate
  case erf

  /// Writes f(x) to `y`, `count` values each. `x` and `y` are equal or disjoint.
  package func apply(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int, table: KernelTable = .current
  ) {
    guard let resolved = unsafe ResolvedActivation(self, table) else {
      if unsafe UnsafePointer(y) != x { unsafe y.update(from: x, count: count) }
      return
    }
    unsafe resolved.apply(x, y, rows: 1, columns: count, stride: count)
  }
}

extension Activation {
  /// What a number of values takes on one thread.
  package static func estimate(_ count: Int) -> WorkEstimate { WorkEstimate(nanoseconds: Double(count) * 0.6) }

  /// Writes f(x) to `y`, on several threads where that pays. `x` and `y` are equal or disjoint.
  package func apply(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int, pool: ThreadPool,
    table: KernelTable = .current
  ) {
    guard let resolved = unsafe ResolvedActivation(self, table) else { return unsafe apply(x, y, count: count) }
    var task = unsafe ActivationTask(function: resolved, x: x, y: y, count: count)
    unsafe task.run(pool)
  }
}

/// One activation, shared between threads by blocks.
@unsafe private struct ActivationTask {
  let function: ResolvedActivation
  let x: UnsafePointer<Float>
  let y: UnsafeMutablePointer<Float>
  let count: Int
  var share = 0

  mutating func run(_ pool: ThreadPool) {
    guard unsafe count > 0 else { return }
    let estimate = unsafe Activation.estimate(count)
    let wanted = unsafe estimate.taskCount(most: (count + 1023) / 1024, pool)
    unsafe share = (count + wanted - 1) / wanted
    let tasks = unsafe (count + share - 1) / share
    if tasks == 1 { return unsafe run(task: 0) }
    unsafe withUnsafePointer(to: self) { pointer in
      unsafe pool.parallelFor(tasks: tasks, context: UnsafeRawPointer(pointer)) { context, task in
        unsafe context.assumingMemoryBound(to: ActivationTask.self).pointee.run(task: task)
      }
    }
  }

  private func run(task: Int) {
    let start = unsafe task * share
    let length = unsafe min(share, count - start)
    unsafe function.apply(x + start, y + start, rows: 1, columns: length, stride: length)
  }
}

/// An activation with its kernel looked up; nil for identity.
@unsafe struct ResolvedActivation {
  private let function: nn_unary_f32
  private let first: Float
  private let second: Float

  init?(_ activation: Activation, _ table: KernelTable) {
    let (index, first, second) = activation.kernel
    guard index >= 0 else { return nil }
    unsafe function = table.unary[index].function
    unsafe self.first = first
    unsafe self.second = second
  }

  func apply(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int
  ) {
    // Rows without gaps are one row: a kernel's last, partial vector costs as much as a whole one.
    if stride == columns {
      unsafe function(1, rows * columns, x, y, rows * columns, first, second)
    } else {
      unsafe function(rows, columns, x, y, stride, first, second)
    }
  }
}

extension Activation {
  /// The kernel's position in the table and its parameters; -1 for identity.
  fileprivate var kernel: (index: Int, first: Float, second: Float) {
    switch self {
    case .identity: (-1, 0, 0)
    case .relu: (Int(nn_unary_relu), 0, 0)
    case .leakyRelu(let slope): (Int(nn_unary_leaky_relu), slope, 0)
    case .sigmoid: (Int(nn_unary_sigmoid), 0, 0)
    case .tanh: (Int(nn_unary_tanh), 0, 0)
    case .elu(let alpha): (Int(nn_unary_elu), alpha, 0)
    case .selu(let alpha, let gamma): (Int(nn_unary_selu), alpha, gamma)
    case .celu(let alpha): (Int(nn_unary_celu), alpha, 0)
    case .gelu: (Int(nn_unary_gelu), 0, 0)
    case .geluTanh: (Int(nn_unary_gelu_tanh), 0, 0)
    case .silu: (Int(nn_unary_silu), 0, 0)
    case .swish(let alpha): (Int(nn_unary_swish), alpha, 0)
    case .softplus: (Int(nn_unary_softplus), 0, 0)
    case .softsign: (Int(nn_unary_softsign), 0, 0)
    case .hardSigmoid(let alpha, let beta): (Int(nn_unary_hard_sigmoid), alpha, beta)
    case .hardSwish: (Int(nn_unary_hard_swish), 0, 0)
    case .mish: (Int(nn_unary_mish), 0, 0)
    case .clip(let low, let high): (Int(nn_unary_clip), low, high)
    case .thresholdedRelu(let alpha): (Int(nn_unary_thresholded_relu), alpha, 0)
    case .exp: (Int(nn_unary_exp), 0, 0)
    case .log: (Int(nn_unary_log), 0, 0)
    case .sqrt: (Int(nn_unary_sqrt), 0, 0)
    case .reciprocal: (Int(nn_unary_reciprocal), 0, 0)
    case .abs: (Int(nn_unary_abs), 0, 0)
    case .negate: (Int(nn_unary_negate), 0, 0)
    case .erf: (Int(nn_unary_erf), 0, 0)
    }
  }
}
