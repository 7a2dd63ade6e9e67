internal import CKernels

/// A kernel for products of bytes, and those of its instruction set between floats and codes.
///
/// `@unchecked Sendable`: it points to constant C data only.
@safe package struct IntegerKernels: @unchecked Sendable {
  let gemm: UnsafePointer<nn_gemm_u8s8_kernel>
  let codes: UnsafePointer<nn_quantise_kernels>
  package let table: KernelTable

  /// The rows that this machine can run up to the instruction set of a table, in ascending order of preference.
  package static func all(for table: KernelTable) -> [IntegerKernels] {
    (0..<nn_gemm_u8s8_count()).compactMap { unsafe IntegerKernels(nn_gemm_u8s8_kernel_at($0), table) }
  }

  /// The preferred row.
  package static func best(for table: KernelTable) -> IntegerKernels {
    all(for: table).last ?? IntegerKernels(scalarFor: table)
  }

  private init?(_ gemm: UnsafePointer<nn_gemm_u8s8_kernel>, _ table: KernelTable) {
    guard let limit = table.instructionSet.tableIndex, let own = unsafe InstructionSet(tableIndex: gemm.pointee.isa),
      own <= table.instructionSet, unsafe nn_feature_is_available(gemm.pointee.feature, gemm.pointee.isa)
    else { return nil }
    unsafe self.gemm = gemm
    unsafe codes = nn_quantise_kernels_for(limit)
    self.table = table
  }

  private init(scalarFor table: KernelTable) {
    unsafe gemm = nn_gemm_u8s8_kernel_at(0)
    unsafe codes = nn_quantise_kernels_for(0)
    self.table = table
  }

  package var instructionSet: InstructionSet {
    InstructionSet(tableIndex: unsafe gemm.pointee.isa) ?? .scalar
  }
  package var name: String { unsafe String(cString: gemm.pointee.name) }
  /// Rows and columns of the tile.
  package var rows: Int { unsafe gemm.pointee.mr }
  package var columns: Int { unsafe gemm.pointee.nr }
  /// Neighbours along k that one instruction multiplies.
  var group: Int { unsafe gemm.pointee.group }
  /// Whether weights whose products would overflow are kept apart.
  package var splitsWeights: Bool { unsafe gemm.pointee.split != nil }

  /// Groups along k.
  func groups(_ depth: Int) -> Int { (depth + group - 1) / group }

  /// Bytes between the rows of carried codes: whole cache lines, an odd number of them so that rows do not meet in the same
  /// sets of the cache.
  func leftStride(_ depth: Int) -> Int {
    let lines = (groups(depth) * 4 + 63) / 64
    return (lines | 1) * 64
  }

  /// Rows of the left side that are carried at a time.
  var chunkRows: Int { 20 * rows }

  /// What a core does of these products, within a factor of two.
  var operationsPerNanosecond: Double {
    guard unsafe gemm.pointee.isa != 0 else { return 3 }
    guard unsafe Int(gemm.pointee.feature) == Int(nn_feature_dot_int8) else { return 130 }
    return table.instructionSet == .avx512 ? 350 : 200
  }
}

extension InstructionSet {
  /// The set at a position of the kernel lists that this processor runs.
  init?(tableIndex: Int32) {
    guard let set = Self.available.first(where: { $0.tableIndex == tableIndex }) else { return nil }
    self = set
  }
}
