internal import CKernels

/// C = act(A · B + bias) of floats with a B of codes, to the bit what `Gemm` gives for the float weights.
///
/// A few rows stream the codes, which become floats in registers; for more rows, sections of B become float panels in the
/// scratch memory. Running allocates nothing.
@unsafe package struct CodeGemm {
  let rows: Int
  let a: UnsafePointer<Float>
  let weights: PackedCodeMatrix
  let bias: UnsafePointer<Float>?
  let function: Activation
  let activation: ResolvedActivation?
  let c: UnsafeMutablePointer<Float>
  private var columnsPerTask = 0
  private var panelsPerTask = 0
  private var firstPanel = 0
  private var lastPanel = 0
  private var expanded: UnsafeMutablePointer<Float>

  /// Bytes of scratch memory that `run` needs for up to `rows` rows.
  package static func scratchByteCount(rows: Int, weights: PackedCodeMatrix) -> Int {
    guard rows > weights.streamedRows else { return 0 }
    let panels = min(weights.sectionPanels, weights.panelCount)
    let gemm = Gemm.scratchByteCount(
      rows: rows, depth: weights.depth, columns: weights.columns, threads: 1, table: weights.table)
    return gemm + panels * weights.floatPanelByteCount
  }

  /// C = act(A B + bias) with A [rows x depth] and C [rows x columns].
  package static func run(
    rows: Int, a: UnsafePointer<Float>, weights: PackedCodeMatrix, bias: UnsafePointer<Float>?,
    activation: Activation, c: UnsafeMutablePointer<Float>, scratch: UnsafeMutableRawPointer, pool: ThreadPool
  ) {
    guard rows > 0 else { return }
    var gemm = unsafe CodeGemm(
      rows: rows, a: a, weights: weights, bias: bias, function: activation, c: c,
      expanded: scratch.assumingMemoryBound(to: Float.self))
    if rows <= weights.streamedRows {
      unsafe gemm.stream(pool)
    } else {
      unsafe gemm.runSections(scratch, pool)
    }
  }

  private init(
    rows: Int, a: UnsafePointer<Float>, weights: PackedCodeMatrix, bias: UnsafePointer<Float>?,
    function: Activation, c: UnsafeMutablePointer<Float>, expanded: UnsafeMutablePointer<Float>
  ) {
    unsafe self.rows = rows
    unsafe self.a = a
    unsafe self.weights = weights
    unsafe self.bias = bias
    unsafe self.function = function
    unsafe activation = ResolvedActivation(function, weights.table)
    unsafe self.c = c
    unsafe self.expanded = expanded
  }

  // MARK: A few rows

  private mutating func stream(_ pool: ThreadPool) {
    let panels = unsafe weights.panelCount
    let count = unsafe Double(weights.depth) * Double(weights.columns)
    let perRow = unsafe weights.table.instructionSet == .scalar ? 1 : 0.03
    let estimate = unsafe WorkEstimate(nanoseconds: count * max(0.08, perRow * Double(rows)))
    let wanted = max(1, estimate.taskCount(most: panels, pool))
    // Streams of one row read two panels at once.
    unsafe panelsPerTask = ((panels + wanted - 1) / wanted + 1) / 2 * 2
    let tasks = unsafe (panels + panelsPerTask - 1) / panelsPerTask
    if tasks == 1 { return unsafe stream(task: 0) }
    unsafe withUnsafePointer(to: self) { pointer in
      unsafe pool.parallelFor(tasks: tasks, context: UnsafeRawPointer(pointer)) { context, task in
        unsafe context.assumingMemoryBound(to: CodeGemm.self).pointee.stream(task: task)
      }
    }
  }

  private func stream(task: Int) {
    let weights = unsafe weights
    let panel = unsafe task * panelsPerTask
    let column = panel * weights.table.gemmColumns
    let width = unsafe min(panelsPerTask * weights.table.gemmColumns, weights.columns - column)
    for run in unsafe Runs(of: rows, most: weights.streamRows) {
      let target = unsafe c + run.lowerBound * weights.columns + column
      unsafe withUnsafePointer(to: weights.panels) { panels in
        unsafe weights.table.codeGemm.pointee.stream(
          panels, panel, run.count, a + run.lowerBound * weights.depth, weights.depth, target, weights.columns, width,
          bias.map { unsafe $0 + column })
      }
      unsafe activation?.apply(target, target, rows: run.count, columns: width, stride: weights.columns)
    }
  }

  // MARK: Many rows

  private mutating func runSections(_ scratch: UnsafeMutableRawPointer, _ pool: ThreadPool) {
    let weights = unsafe weights
    let table = weights.table
    let most = min(weights.sectionPanels, weights.panelCount)
    let rest = unsafe scratch + most * weights.floatPanelByteCount
    for section in Runs(of: weights.panelCount, most: most) {
      unsafe (firstPanel, lastPanel) = (section.lowerBound, section.upperBound)
      unsafe expand(pool)
      let column = section.lowerBound * table.gemmColumns
      unsafe GemmOperands(
        rows: rows, depth: weights.depth, columns: min(section.count * table.gemmColumns, weights.columns - column),
        a: a, rowStride: weights.depth, columnStride: 1, panels: UnsafeRawPointer(expanded),
        form: table.gemmForm(.float32), finish: GemmFinish(bias.map { unsafe $0 + column }, function, table),
        c: c + column, ldc: weights.columns, table: table
      ).run(rest, pool)
    }
  }

  private func expand(_ pool: ThreadPool) {
    let count = unsafe lastPanel - firstPanel
    let estimate = unsafe WorkEstimate(nanoseconds: Double(count * weights.floatPanelByteCount) * 0.05)
    let tasks = max(1, estimate.taskCount(most: count, pool))
    if tasks == 1 { return unsafe expand(firstPanel..<lastPanel) }
    unsafe withUnsafePointer(to: (self, tasks)) { pointer in
      unsafe pool.parallelFor(tasks: tasks, context: UnsafeRawPointer(pointer)) { context, task in
        let (gemm, tasks) = unsafe context.assumingMemoryBound(to: (CodeGemm, Int).self).pointee
        let (first, count) = unsafe (gemm.firstPanel, gemm.lastPanel - gemm.firstPanel)
        unsafe gemm.expand(first + count * task / tasks..<first + count * (task + 1) / tasks)
      }
    }
  }

  private func expand(_ range: Range<Int>) {
    let weights = unsafe weights
    let stride = weights.floatPanelByteCount / MemoryLayout<Float>.stride
    unsafe withUnsafePointer(to: weights.panels) { panels in
      for panel in range {
        unsafe weights.table.codeGemm.pointee.expand(panels, panel, expanded + (panel - firstPanel) * stride)
      }
    }
  }
}

extension PackedCodeMatrix {
  /// What multiplies by it.
  package var kernelName: String { unsafe String(cString: table.codeGemm.pointee.name) }

  /// Most rows that one pass over the codes serves.
  var streamRows: Int { unsafe table.codeGemm.pointee.stream_rows }

  /// Bytes of a panel in float32.
  var floatPanelByteCount: Int { depth * table.gemmColumns * MemoryLayout<Float>.stride }

  /// Panels that become floats at a time, so few that they stay in the outer cache.
  var sectionPanels: Int { max(1, (8 << 20) / floatPanelByteCount) }

  /// Rows up to which passes over the codes take less time than turning all of them into floats once.
  var streamedRows: Int { 3 * streamRows }
}
