internal import CKernels

/// C = act(A · B + bias) of floats with a B of codes that become floats in registers.
///
/// The value of an element is defined to the bit. Codes of a column that share a scale within a block of `Gemm.blockDepth`
/// are a group: its products x · (code - zero) are one chain of fused multiply-adds from zero in ascending k. The sums of the
/// groups of a block, each times its scale, are one such chain; the block sums are added in order, then the bias, then the
/// activation is applied. So a row's result does not depend on the other rows, on threads or on the instruction set.
/// Running allocates nothing and needs no scratch memory.
@unsafe package struct CodeGemm {
  private let rows: Int
  private let a: UnsafePointer<Float>
  private let weights: PackedCodeMatrix
  private let bias: UnsafePointer<Float>?
  private let activation: ResolvedActivation?
  private let c: UnsafeMutablePointer<Float>
  private let tasks: PanelTasks

  /// Bytes of the left sides of rows that pass the panels together, so few that they stay in a cache.
  private static let nearLeftBytes = 8 << 20
  /// Groups of rows that pass the panels together at most.
  private static let mostGroups = 16

  /// C = act(A B + bias) with A [rows x depth] and C [rows x columns].
  package static func run(
    rows: Int, a: UnsafePointer<Float>, weights: PackedCodeMatrix, bias: UnsafePointer<Float>?,
    activation: Activation, c: UnsafeMutablePointer<Float>, pool: ThreadPool
  ) {
    let groups = nearLeftBytes / (weights.streamRows * weights.depth * MemoryLayout<Float>.stride)
    for chunk in Runs(of: rows, most: weights.streamRows * max(1, min(groups, mostGroups))) {
      unsafe CodeGemm(
        rows: chunk.count, a: a + chunk.lowerBound * weights.depth, weights: weights, bias: bias,
        activation: activation, c: c + chunk.lowerBound * weights.columns, pool
      ).run(pool)
    }
  }

  private init(
    rows: Int, a: UnsafePointer<Float>, weights: PackedCodeMatrix, bias: UnsafePointer<Float>?, activation: Activation,
    c: UnsafeMutablePointer<Float>, _ pool: ThreadPool
  ) {
    unsafe self.rows = rows
    unsafe self.a = a
    unsafe self.weights = weights
    unsafe self.bias = bias
    unsafe self.activation = ResolvedActivation(activation, weights.table)
    unsafe self.c = c
    let perRow = weights.table.instructionSet == .scalar ? 1 : 0.03
    let count = Double(weights.depth) * Double(weights.columns)
    let groups = Runs(of: rows, most: weights.streamRows)
    let estimate = WorkEstimate(nanoseconds: count * max(0.08, perRow * Double(rows)))
    unsafe tasks = PanelTasks(panels: weights.panelCount, tiles: groups.count, estimate, pool)
  }

  private func run(_ pool: ThreadPool) {
    let count = unsafe tasks.count
    if count == 1 { return unsafe run(task: 0) }
    unsafe withUnsafePointer(to: self) { pointer in
      unsafe pool.parallelFor(tasks: count, context: UnsafeRawPointer(pointer)) { context, task in
        unsafe context.assumingMemoryBound(to: CodeGemm.self).pointee.run(task: task)
      }
    }
  }

  private func run(task: Int) {
    let weights = unsafe weights
    let nr = weights.table.gemmColumns
    let groups = unsafe Runs(of: rows, most: weights.streamRows)
    unsafe tasks.forEachPiece(of: task) { panels, tiles in
      // Several panels are streamed at once for a few rows; many rows pass a panel while it is near.
      let atOnce = tiles.count == 1 ? panels.count : 1
      for first in stride(from: panels.lowerBound, to: panels.upperBound, by: atOnce) {
        for tile in tiles { unsafe stream(groups.start(tile)..<groups.start(tile + 1), first..<first + atOnce, nr) }
      }
    }
  }

  private func stream(_ range: Range<Int>, _ panels: Range<Int>, _ nr: Int) {
    let weights = unsafe weights
    let column = panels.lowerBound * nr
    let width = min(panels.upperBound * nr, weights.columns) - column
    let target = unsafe c + range.lowerBound * weights.columns + column
    unsafe withUnsafePointer(to: weights.panels) { codes in
      unsafe weights.table.codeGemm.pointee.stream(
        codes, panels.lowerBound, range.count, a + range.lowerBound * weights.depth, weights.depth, target,
        weights.columns, width, bias.map { unsafe $0 + column })
    }
    unsafe activation?.apply(target, target, rows: range.count, columns: width, stride: weights.columns)
  }
}

extension PackedCodeMatrix {
  /// What multiplies by it.
  package var kernelName: String { unsafe String(cString: table.codeGemm.pointee.name) }

  /// Most rows that one pass over the codes serves.
  var streamRows: Int { unsafe table.codeGemm.pointee.stream_rows }
}
