internal import CKernels

/// A loop of nothing but arithmetic in registers, which shows the most that a core does.
///
/// `@unchecked Sendable`: it points to constant C data only.
@safe package struct PeakKernel: @unchecked Sendable {
  /// What is multiplied and added.
  package enum Quantity: String, Sendable, CaseIterable {
    case float32
    case bfloat16
    case int8
  }

  package let quantity: Quantity
  package let instructionSet: InstructionSet
  private let row: UnsafePointer<nn_peak_kernel>

  /// The rows that this machine can run.
  package static let all: [PeakKernel] = InstructionSet.available.flatMap { set in
    (0..<nn_peak_kernel_count()).compactMap { unsafe PeakKernel(set, nn_peak_kernel_at($0)) }
  }

  private init?(_ set: InstructionSet, _ row: UnsafePointer<nn_peak_kernel>) {
    guard let isa = set.tableIndex, unsafe row.pointee.isa == isa,
      unsafe nn_feature_is_available(row.pointee.feature, isa)
    else { return nil }
    quantity =
      switch unsafe Int(row.pointee.quantity) {
      case Int(nn_peak_bf16): .bfloat16
      case Int(nn_peak_int8): .int8
      default: .float32
      }
    instructionSet = set
    unsafe self.row = row
  }

  package var name: String { unsafe String(cString: row.pointee.name) }

  /// Operations of one iteration, a multiply-add being two.
  package var operations: Int { unsafe row.pointee.operations }

  package func run(iterations: Int) { _ = unsafe row.pointee.run(iterations) }
}

/// Loops that read memory and do nothing with it.
///
/// `@unchecked Sendable`: it points to constant C data only.
@safe package struct ReadKernel: @unchecked Sendable {
  private let row: UnsafePointer<nn_read_kernel>

  /// The loops of `InstructionSet.best`.
  package static let current = unsafe ReadKernel(row: nn_read_kernel_for(InstructionSet.best.tableIndex ?? 0))

  package var name: String { unsafe String(cString: row.pointee.name) }

  /// In how many ways memory is read: more sections side by side from one to the next.
  package static let variants = Int(nn_read_section_counts)

  /// Reads values by one of the variants.
  package func run(_ values: UnsafePointer<Float>, count: Int, variant: Int) {
    let functions = unsafe (row.pointee.run.0, row.pointee.run.1, row.pointee.run.2)
    let function = unsafe variant == 0 ? functions.0 : variant == 1 ? functions.1 : functions.2
    _ = unsafe function(values, count)
  }
}
