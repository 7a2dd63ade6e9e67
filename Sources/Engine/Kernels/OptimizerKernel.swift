internal import CKernels

/// The update rule of an optimizer: one pass over parameters, gradients and slots.
///
/// An element's result depends on that element alone, so neither threads nor instruction sets change it.
package enum OptimizerKernel: Int, CaseIterable, Sendable {
  case sgd
  case momentum
  case nesterov
  case rmsprop
  case rmspropMomentum
  case rmspropCentered
  case rmspropCenteredMomentum
  case adam
  case amsgrad
  case adamax
  case nadam
  case adagrad
  case adadelta
  case lion
  case ftrl

  /// Values that the rule keeps for each parameter.
  package var slotCount: Int { unsafe Int(nn_optimizer_f32_kernels_for(0)[rawValue].slots) }

  /// What happens before the rule: the gradient times `scale`, cut to `-limit ... limit` unless that is 0, and the
  /// parameter less `decay` of itself.
  package struct Transform: Sendable {
    package var scale: Float = 1
    package var limit: Float = 0
    package var decay: Float = 0

    package init() {}
  }

  /// Updates `count` parameters.
  ///
  /// - Parameter numbers: the numbers of the rule, as `optimizer_f32.h` lists them.
  package func update(
    _ parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
    slots: UnsafePointer<UnsafeMutablePointer<Float>>, count: Int, transform: Transform,
    numbers: UnsafePointer<Float>, pool: ThreadPool, table: KernelTable = .current
  ) {
    guard count > 0, let isa = table.instructionSet.tableIndex else { return }
    let function = unsafe nn_optimizer_f32_kernels_for(isa)[rawValue].function
    let estimate = WorkEstimate(nanoseconds: Double(count) * 0.5)
    let tasks = max(1, estimate.taskCount(most: (count + 1023) / 1024, pool))
    let share = ((count + tasks - 1) / tasks + 15) / 16 * 16
    let work = unsafe OptimizerTask(
      function: function, parameters: parameters, gradients: gradients, slots: slots, slotCount: slotCount,
      count: count, share: share,
      transform: nn_gradient_transform(scale: transform.scale, limit: transform.limit, decay: transform.decay),
      numbers: numbers)
    unsafe withUnsafePointer(to: work) { pointer in
      unsafe pool.parallelFor(tasks: (count + share - 1) / share, context: UnsafeRawPointer(pointer)) { context, task in
        unsafe context.assumingMemoryBound(to: OptimizerTask.self).pointee.run(task)
      }
    }
  }
}

/// One update, shared between threads by ranges of elements.
@unsafe private struct OptimizerTask {
  let function: nn_optimizer_f32
  let parameters: UnsafeMutablePointer<Float>
  let gradients: UnsafePointer<Float>
  let slots: UnsafePointer<UnsafeMutablePointer<Float>>
  let slotCount: Int
  let count: Int
  let share: Int
  let transform: nn_gradient_transform
  let numbers: UnsafePointer<Float>

  func run(_ task: Int) {
    let start = unsafe task * share
    let length = unsafe min(share, count - start)
    unsafe function(
      length, parameters + start, gradients + start, slotCount > 0 ? slots[0] + start : nil,
      slotCount > 1 ? slots[1] + start : nil, slotCount > 2 ? slots[2] + start : nil, transform, numbers)
  }
}
