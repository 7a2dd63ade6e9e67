internal import CKernels

/// The kernels of one instruction set.
///
/// `@unchecked Sendable`: it points to constant C data only.
@safe package struct KernelTable: @unchecked Sendable {
  package let instructionSet: InstructionSet
  let gemm: UnsafePointer<nn_gemm_f32_kernel>
  let unary: UnsafePointer<nn_unary_f32_kernel>
  let binary: UnsafePointer<nn_binary_f32_kernel>
  let rows: UnsafePointer<nn_row_f32_kernels>
  let codes: UnsafePointer<nn_quantise_kernels>
  let codeGemm: UnsafePointer<nn_gemm_codes_kernel>

  /// The kernels of `InstructionSet.best`.
  package static let current = table(for: .best) ?? scalar

  /// The default kernels of an instruction set, nil where the machine does not have it.
  package static func table(for set: InstructionSet) -> KernelTable? {
    all.first { $0.instructionSet == set }
  }

  /// One table for each Gemm kernel this machine can run, the default of an instruction set before its variants.
  package static let all: [KernelTable] = InstructionSet.available.flatMap { set in
    (0..<nn_gemm_f32_count()).compactMap { unsafe KernelTable(set, gemm: nn_gemm_f32_kernel_at($0)) }
  }

  private static let scalar = unsafe KernelTable(.scalar, isa: 0, gemm: nn_gemm_f32_kernel_at(0))

  private init?(_ set: InstructionSet, gemm: UnsafePointer<nn_gemm_f32_kernel>) {
    guard let isa = set.tableIndex, unsafe gemm.pointee.isa == isa else { return nil }
    unsafe self.init(set, isa: isa, gemm: gemm)
  }

  private init(_ set: InstructionSet, isa: Int32, gemm: UnsafePointer<nn_gemm_f32_kernel>) {
    instructionSet = set
    unsafe self.gemm = gemm
    unsafe unary = nn_unary_f32_kernels_for(isa)
    unsafe binary = nn_binary_f32_kernels_for(isa)
    unsafe rows = nn_row_f32_kernels_for(isa)
    unsafe codes = nn_quantise_kernels_for(isa)
    unsafe codeGemm = nn_gemm_codes_kernel_for(isa)
  }

  /// Rows and columns of the Gemm tile; weights are packed in panels `gemmColumns` wide.
  package var gemmRows: Int { unsafe gemm.pointee.mr }
  package var gemmColumns: Int { unsafe gemm.pointee.nr }
  /// Most rows that a streaming kernel takes at once.
  package var streamRows: Int { unsafe gemm.pointee.stream_rows }

  /// The Gemm kernels for weights of a precision.
  func gemmForm(_ precision: EngineOptions.Precision) -> UnsafePointer<nn_gemm_form_f32> {
    switch precision {
    case .float32: unsafe gemm.pointee.f32
    case .bfloat16: unsafe gemm.pointee.bf16
    }
  }

  /// The name of the Gemm kernel for weights of a precision: `gemm_f32_6x16__avx2`.
  package func gemmName(_ precision: EngineOptions.Precision) -> String {
    unsafe String(cString: gemmForm(precision).pointee.name)
  }

  /// Every operation with the name of the kernel that runs it.
  package var names: [(operation: String, kernel: String)] {
    let unaryNames = (0..<Int(nn_unary_count)).map { unsafe String(cString: unary[$0].name) }
    let binaryNames = (0..<Int(nn_binary_count)).map { unsafe String(cString: binary[$0].name) }
    let rowName = unsafe String(cString: rows.pointee.name)
    let rowOperations = ["softmax", "log_softmax", "layer_norm", "affine"]
    let gemms = [
      ("gemm", gemmName(.float32)), ("gemm bfloat16", gemmName(.bfloat16)),
      ("gemm int8", IntegerKernels.best(for: self).name), ("gemm codes", unsafe String(cString: codeGemm.pointee.name)),
      ("quantise", unsafe String(cString: codes.pointee.name)),
    ]
    return gemms
      + (unaryNames + binaryNames).map { (Self.operation($0), $0) }
      + rowOperations.map { ($0, rowName) }
  }

  /// `tanh` of `tanh_f32__avx2`.
  private static func operation(_ kernel: String) -> String {
    kernel.range(of: "_f32__").map { String(kernel[..<$0.lowerBound]) } ?? kernel
  }
}

extension String {
  /// The first occurrence of a text.
  fileprivate func range(of text: String) -> Range<Index>? {
    indices.first { self[$0...].hasPrefix(text) }.map { $0..<index($0, offsetBy: text.count) }
  }
}
