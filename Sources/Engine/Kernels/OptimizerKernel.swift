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

  private static let instructionSet = KernelTable.current.instructionSet.tableIndex ?? 0

  /// The rule for one parameter and one step.
  ///
  /// - Parameters:
  ///   - slots: as many arrays as the rule keeps.
  ///   - numbers: the numbers of the rule, as `optimizer_f32.h` lists them.
  package func bound(
    _ parameters: UnsafeMutablePointer<Float>, slots: UnsafePointer<UnsafeMutablePointer<Float>>, transform: Transform,
    numbers: UnsafePointer<Float>
  ) -> ParameterUpdate {
    let function = unsafe nn_optimizer_f32_kernels_for(Self.instructionSet)[rawValue].function
    return unsafe ParameterUpdate(
      function: function, parameters: parameters,
      slots: (
        slotCount > 0 ? slots[0] : nil, slotCount > 1 ? slots[1] : nil, slotCount > 2 ? slots[2] : nil
      ),
      transform: nn_gradient_transform(scale: transform.scale, limit: transform.limit, decay: transform.decay),
      numbers: numbers)
  }
}

/// An update rule bound to the arrays of one parameter.
@unsafe package struct ParameterUpdate {
  let function: nn_optimizer_f32
  let parameters: UnsafeMutablePointer<Float>
  let slots: (UnsafeMutablePointer<Float>?, UnsafeMutablePointer<Float>?, UnsafeMutablePointer<Float>?)
  let transform: nn_gradient_transform
  let numbers: UnsafePointer<Float>

  /// Updates some elements, whose gradients begin at `gradients`.
  func run(_ range: Range<Int>, gradients: UnsafePointer<Float>) {
    let start = range.lowerBound
    unsafe function(
      range.count, parameters + start, gradients, slots.0.map { unsafe $0 + start }, slots.1.map { unsafe $0 + start },
      slots.2.map { unsafe $0 + start }, transform, numbers)
  }

  /// Updates `count` elements on threads.
  package func run(gradients: UnsafePointer<Float>, count: Int, pool: ThreadPool) {
    guard count > 0 else { return }
    let estimate = WorkEstimate(nanoseconds: Double(count) * 0.5)
    let tasks = max(1, estimate.taskCount(most: (count + 1023) / 1024, pool))
    let share = ((count + tasks - 1) / tasks + 15) / 16 * 16
    let work = unsafe SharedUpdate(update: self, gradients: gradients, count: count, share: share)
    unsafe withUnsafePointer(to: work) { pointer in
      unsafe pool.parallelFor(tasks: (count + share - 1) / share, context: UnsafeRawPointer(pointer)) { context, task in
        unsafe context.assumingMemoryBound(to: SharedUpdate.self).pointee.run(task)
      }
    }
  }
}

/// One update, shared between threads by ranges of elements.
@unsafe private struct SharedUpdate {
  let update: ParameterUpdate
  let gradients: UnsafePointer<Float>
  let count: Int
  let share: Int

  func run(_ task: Int) {
    let start = unsafe task * share
    unsafe update.run(start..<min(start + share, count), gradients: gradients + start)
  }
}
