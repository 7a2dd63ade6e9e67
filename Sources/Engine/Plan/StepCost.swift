/// What one run of a step costs, as profiles count it.
///
/// Arithmetic is what the definition of the operator asks for: two operations for a multiply-add, one for each element
/// and each function of it; bias and activation of a dense layer are not counted. Steps that only move elements have none.
package struct StepCost: Sendable, Hashable {
  /// What is multiplied and added, which decides the ceiling.
  package typealias Arithmetic = PeakKernel.Quantity

  /// Arithmetic operations.
  package var operations: Double
  package var arithmetic: Arithmetic
  /// Bytes that are read beside the inputs: packed weights and biases, or the chosen part of an unread input.
  package var constantByteCount: Int
  /// The inputs that a run does not read whole, or not at all where packed constants stand in for them.
  package var unreadInputs: [Int]

  package init(
    operations: Double = 0, arithmetic: Arithmetic = .float32, constantByteCount: Int = 0, unreadInputs: [Int] = []
  ) {
    self.operations = operations
    self.arithmetic = arithmetic
    self.constantByteCount = constantByteCount
    self.unreadInputs = unreadInputs
  }

  /// Some operations for each of so many elements.
  package static func elements(_ count: Int, operations: Int = 1) -> StepCost {
    StepCost(operations: Double(count) * Double(operations))
  }

  /// So many products of matrices.
  package static func products(
    _ count: Int = 1, rows: Int, depth: Int, columns: Int, arithmetic: Arithmetic = .float32,
    constantByteCount: Int = 0, unreadInputs: [Int] = []
  ) -> StepCost {
    StepCost(
      operations: 2 * Double(count) * Double(rows) * Double(depth) * Double(columns), arithmetic: arithmetic,
      constantByteCount: constantByteCount, unreadInputs: unreadInputs)
  }
}
