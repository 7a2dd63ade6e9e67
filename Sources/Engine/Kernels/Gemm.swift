internal import CKernels

/// C = act(A B + bias), with A [rows x depth] and C [rows x columns] row-major float32.
///
/// The value of an element is defined to the bit: B's k-blocks of `blockDepth` in ascending order, each one chain of
/// fused multiply-adds from zero in ascending k; the block sums added in order with plain additions, the first one
/// being the start; then the bias (if any) with one addition; then the activation, as `Activation.apply` computes it.
/// So a row's result does not depend on the other rows, on the number of threads or on the instruction set. Weights of
/// bfloat16 are widened on the way, which is exact: the result is that of float32 weights with the same values.
///
/// Running allocates nothing; the caller provides the scratch memory. C must not overlap the operands.
package enum Gemm {
  /// Depth of a k-block.
  package static let blockDepth = Int(nn_gemm_block_depth)

  /// Which of the two ways a Gemm goes; the results are the same.
  package enum Path: Sendable {
    /// The faster one.
    case automatic
    /// A few rows at a time past the weights. Only for an A that is not transposed.
    case streamed
    /// Packed tiles of A.
    case tiled
  }

  /// Whether `.automatic` streams.
  package static func streams(rows: Int, weights: PackedMatrix, pool: ThreadPool) -> Bool {
    streams(rows: rows, weightByteCount: weights.byteCount, weights.table, pool)
  }

  /// Few rows, or weights near enough to be read again for each few rows, are not worth the packing of A. Several threads
  /// share the panels, so that each finds its part of the weights near.
  static func streams(rows: Int, weightByteCount: Int, _ table: KernelTable, _ pool: ThreadPool) -> Bool {
    if rows <= table.streamRows { return true }
    let areShared = pool.threadCount > 1 && rows <= 4 * table.streamRows
    return weightByteCount <= (areShared ? cachedWeights : nearWeights)
  }

  /// Bytes of weights that every few rows may read again, because the nearest caches hold them; found by measuring.
  package static let nearWeights = 256 * 1024
  /// Bytes of weights that every few tens of rows may read again, found by measuring.
  package static let cachedWeights = 2 << 20

  /// Bytes of scratch memory that `run` needs for up to `rows` rows, whatever the number of threads.
  package static func scratchByteCount(
    rows: Int, depth: Int, columns: Int, table: KernelTable = .current
  ) -> Int {
    guard rows > 0, depth > 0, columns > 0 else { return 0 }
    return table.packedTileByteCount(rows: rows, depth: depth)
  }

  /// Bytes of scratch memory that the form with a plain B needs.
  package static func scratchByteCountWithPacking(
    rows: Int, depth: Int, columns: Int, table: KernelTable = .current
  ) -> Int {
    guard rows > 0, depth > 0, columns > 0 else { return 0 }
    return scratchByteCount(rows: rows, depth: depth, columns: columns, table: table)
      + table.panelByteCount(depth: depth, columns: columns)
  }

  /// Multiplies by packed weights.
  ///
  /// - Parameters:
  ///   - lda: Values between the starts of A's rows, at least the depth; when `isTransposed`, A is stored
  ///     [depth x rows] and `lda` is at least `rows`.
  ///   - bias: One value a column, or nil.
  ///   - ldc: Values between the starts of C's rows, at least the columns. The gaps are left alone.
  ///   - scratch: `scratchByteCount` bytes.
  package static func run(
    rows: Int, a: UnsafePointer<Float>, lda: Int, isTransposed: Bool = false, weights: PackedMatrix,
    bias: UnsafePointer<Float>?, activation: Activation, c: UnsafeMutablePointer<Float>, ldc: Int,
    scratch: UnsafeMutableRawPointer, pool: ThreadPool, path: Path = .automatic
  ) {
    unsafe GemmOperands(
      rows: rows, depth: weights.depth, columns: weights.columns, a: a,
      rowStride: isTransposed ? 1 : lda, columnStride: isTransposed ? lda : 1, panels: weights.panels,
      form: weights.table.gemmForm(weights.precision),
      finish: GemmFinish(bias, activation, weights.table), c: c, ldc: ldc, table: weights.table
    ).run(scratch, pool, path)
  }

  /// Multiplies by weights that their owner keeps in panels, as `PanelLayout` orders them.
  ///
  /// - Parameter scratch: `scratchByteCount` bytes.
  static func run(
    rows: Int, _ layout: PanelLayout, a: UnsafePointer<Float>, panels: UnsafePointer<Float>,
    bias: UnsafePointer<Float>? = nil, activation: Activation = .identity, c: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutableRawPointer, pool: ThreadPool
  ) {
    let table = KernelTable.current
    unsafe GemmOperands(
      rows: rows, depth: layout.depth, columns: layout.columns, a: a, rowStride: layout.depth, columnStride: 1,
      panels: panels, form: table.gemmForm(.float32), finish: GemmFinish(bias, activation, table), c: c,
      ldc: layout.columns, table: table
    ).run(scratch, pool)
  }

  /// Multiplies some rows by packed weights on the caller's thread, with the results of `run`.
  ///
  /// - Parameter scratch: room for as many values as the rows of A have, unless the weights are `nearWeights`.
  package static func runRows(
    _ rows: Range<Int>, a: UnsafePointer<Float>, lda: Int, weights: PackedMatrix, bias: UnsafePointer<Float>?,
    activation: Activation, c: UnsafeMutablePointer<Float>, ldc: Int, scratch: UnsafeMutableRawPointer
  ) {
    unsafe run(
      rows: rows.count, a: a + rows.lowerBound * lda, lda: lda, weights: weights, bias: bias, activation: activation,
      c: c + rows.lowerBound * ldc, ldc: ldc, scratch: scratch, pool: .single)
  }

  /// Multiplies by a B that changes from call to call, packing it into the scratch memory first.
  ///
  /// - Parameters:
  ///   - b: Row-major [depth x columns] with stride `ldb`, or [columns x depth] when `isTransposedB`.
  ///   - alpha: Scales B.
  ///   - scratch: `scratchByteCountWithPacking` bytes.
  package static func run(
    rows: Int, depth: Int, columns: Int, a: UnsafePointer<Float>, lda: Int, isTransposedA: Bool = false,
    b: UnsafePointer<Float>, ldb: Int, isTransposedB: Bool = false, alpha: Float = 1,
    bias: UnsafePointer<Float>? = nil, activation: Activation = .identity, c: UnsafeMutablePointer<Float>, ldc: Int,
    scratch: UnsafeMutableRawPointer, pool: ThreadPool, table: KernelTable = .current
  ) {
    guard rows > 0, columns > 0 else { return }
    let panelBytes = table.panelByteCount(depth: depth, columns: columns)
    let form = unsafe table.gemmForm(.float32)
    unsafe PanelPacking(
      depth: depth, columns: columns, source: b, stride: ldb, isTransposed: isTransposedB, alpha: alpha,
      panels: scratch, nr: table.gemmColumns, form: form
    ).run(pool)
    unsafe GemmOperands(
      rows: rows, depth: depth, columns: columns, a: a, rowStride: isTransposedA ? 1 : lda,
      columnStride: isTransposedA ? lda : 1, panels: UnsafeRawPointer(scratch), form: form,
      finish: GemmFinish(bias, activation, table), c: c, ldc: ldc, table: table
    ).run(scratch + panelBytes, pool)
  }
}

/// What happens to the sums of a Gemm before they are stored.
@unsafe struct GemmFinish {
  /// One value a column.
  let bias: UnsafePointer<Float>?
  /// Whether the kernel replaces negative values by 0.
  let rectifies: Bool
  /// Applied to what the kernel has stored.
  let activation: ResolvedActivation?

  init(_ bias: UnsafePointer<Float>?, _ activation: Activation, _ table: KernelTable) {
    unsafe self.bias = bias
    unsafe rectifies = activation == .relu
    unsafe self.activation = activation == .relu ? nil : ResolvedActivation(activation, table)
  }
}

/// What one Gemm works on. Lengths are in values.
@unsafe struct GemmOperands {
  let rows: Int
  let depth: Int
  let columns: Int
  let a: UnsafePointer<Float>
  let rowStride: Int
  let columnStride: Int
  let panels: UnsafeRawPointer
  let form: UnsafePointer<nn_gemm_form_f32>
  let finish: GemmFinish
  let c: UnsafeMutablePointer<Float>
  let ldc: Int
  let table: KernelTable

  var panelCount: Int { unsafe (columns + table.gemm.pointee.nr - 1) / table.gemm.pointee.nr }

  /// Packed weights, the padding of the last panel included, from a depth of a panel on.
  func weights(column: Int, depth start: Int) -> UnsafeRawPointer {
    unsafe panels + (column * depth + start * table.gemm.pointee.nr) * form.pointee.weight_size
  }

  func run(_ scratch: UnsafeMutableRawPointer, _ pool: ThreadPool, _ path: Gemm.Path = .automatic) {
    guard unsafe rows > 0 && columns > 0 else { return }
    if unsafe columnStride == 1 && isStreamed(path, pool) {
      unsafe StreamingGemm(self, pool).run(pool)
    } else {
      unsafe TiledGemm(self, scratch).run(pool)
    }
  }

  private func isStreamed(_ path: Gemm.Path, _ pool: ThreadPool) -> Bool {
    switch path {
    case .automatic:
      unsafe Gemm.streams(
        rows: rows, weightByteCount: panelCount * table.gemmColumns * depth * form.pointee.weight_size, table, pool)
    case .streamed: true
    case .tiled: false
    }
  }
}
