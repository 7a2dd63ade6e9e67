internal import CKernels

/// The part of a tiled Gemm between two packings of A: a chunk of rows times a section of the depth, for all columns.
@unsafe struct GemmSection {
  private let operands: GemmOperands
  private let packed: UnsafeMutablePointer<Float>
  private let rows: Range<Int>
  private let depths: Range<Int>
  private let tiles: Runs
  private let blocks: Int
  private let tasks: PanelTasks

  /// Packed values of A up to which a task keeps a panel in hand through all k-blocks.
  private static let residentValues = 96 * 1024
  /// Panels that share the reading of a larger A.
  private static let panelsPerReading = 2

  init(
    _ operands: GemmOperands, _ packed: UnsafeMutablePointer<Float>, rows: Range<Int>, depths: Range<Int>,
    _ pool: ThreadPool
  ) {
    unsafe self.operands = operands
    unsafe self.packed = packed
    unsafe self.rows = rows
    unsafe self.depths = depths
    let tiles = unsafe Runs(of: rows.count, most: operands.table.gemm.pointee.mr)
    unsafe self.tiles = tiles
    // A depth of zero has one empty block, so that the bias and the activation still happen.
    unsafe blocks = max(1, (depths.count + Gemm.blockDepth - 1) / Gemm.blockDepth)
    let panels = unsafe operands.panelCount
    let estimate = unsafe WorkEstimate(
      gemmRows: rows.count, weights: panels * operands.table.gemm.pointee.nr * depths.count,
      weightSize: operands.form.pointee.weight_size, instructionSet: operands.table.instructionSet)
    unsafe tasks = PanelTasks(panels: panels, tiles: tiles.count, estimate, pool)
  }

  /// The tasks of packing and, once all of these have ended, of multiplying.
  var packingCount: Int { unsafe tiles.count * blocks }
  var taskCount: Int { unsafe tasks.count }
  /// Whether the multiplication is worth several threads.
  var isShared: Bool { unsafe taskCount > 1 }

  func isPackingShared(_ pool: ThreadPool) -> Bool {
    unsafe WorkEstimate(nanoseconds: Double(rows.count * depths.count) * 0.3).isWorthSharing(pool)
  }

  /// The depths of a k-block.
  private func depths(ofBlock block: Int) -> Range<Int> {
    let start = unsafe depths.lowerBound + block * Gemm.blockDepth
    return unsafe start..<min(start + Gemm.blockDepth, depths.upperBound)
  }

  /// The packed values [depth][tile rows] of a tile in a k-block.
  private func packedTile(_ tile: Int, block: Int, depth: Int) -> UnsafeMutablePointer<Float> {
    unsafe packed + block * Gemm.blockDepth * rows.count + tiles.start(tile) * depth
  }

  /// Copies one k-block of one tile of A.
  func pack(task: Int) {
    let tile = unsafe task % tiles.count
    let block = unsafe task / tiles.count
    let depths = unsafe depths(ofBlock: block)
    let start = unsafe tiles.start(tile)
    let source =
      unsafe operands.a + (rows.lowerBound + start) * operands.rowStride
      + depths.lowerBound * operands.columnStride
    unsafe operands.table.gemm.pointee.pack_a(
      tiles.start(tile + 1) - start, depths.count, source, operands.rowStride, operands.columnStride,
      packedTile(tile, block: block, depth: depths.count))
  }

  /// Computes some tiles of some panels.
  func multiply(task: Int) {
    unsafe tasks.forEachPiece(of: task) { panels, tiles in unsafe multiply(panels, tiles) }
  }

  private func multiply(_ panels: Range<Int>, _ tiles: Range<Int>) {
    let rows = unsafe self.tiles.start(tiles.upperBound) - self.tiles.start(tiles.lowerBound)
    let atOnce = unsafe rows * depths.count <= Self.residentValues ? 1 : Self.panelsPerReading
    for first in stride(from: panels.lowerBound, to: panels.upperBound, by: atOnce) {
      let group = first..<min(first + atOnce, panels.upperBound)
      for block in unsafe 0..<blocks {
        for panel in group {
          if panel + 1 < group.upperBound {
            unsafe multiply(block, panel, tiles, next: weights(block, panel + 1))
          } else if unsafe block + 1 < blocks {
            unsafe multiply(block, panel, tiles, next: weights(block + 1, group.lowerBound))
          } else {
            unsafe multiply(block, panel, tiles, next: weights(0, group.upperBound))
          }
        }
      }
    }
  }

  /// One k-block of one panel.
  private func weights(_ block: Int, _ panel: Int) -> UnsafeRawPointer {
    unsafe operands.weights(column: panel * operands.table.gemm.pointee.nr, depth: depths(ofBlock: block).lowerBound)
  }

  /// Adds one k-block of one panel to some tiles of C; the last k-block of the Gemm brings the bias and the activation. Each
  /// tile fetches its share of the weights that are next.
  private func multiply(_ block: Int, _ panel: Int, _ tiles: Range<Int>, next: UnsafeRawPointer) {
    let form = unsafe operands.form.pointee
    let nr = unsafe operands.table.gemm.pointee.nr
    let depths = unsafe depths(ofBlock: block)
    let column = panel * nr
    let columns = unsafe min(nr, operands.columns - column)
    let isLast = unsafe depths.upperBound == operands.depth
    let bias = unsafe isLast ? operands.finish.bias.map { unsafe $0 + column } : nil
    let right = unsafe weights(block, panel)
    let step = unsafe max(1, (nr + tiles.count - 1) / tiles.count) * form.weight_size
    for tile in tiles {
      let start = unsafe self.tiles.start(tile)
      let count = unsafe self.tiles.start(tile + 1) - start
      let target = unsafe operands.c + (rows.lowerBound + start) * operands.ldc + column
      unsafe form.tile(
        count, depths.count, packedTile(tile, block: block, depth: depths.count), right, target, operands.ldc,
        columns, bias, isLast && operands.finish.rectifies, depths.lowerBound > 0,
        next + (tile - tiles.lowerBound) * depths.count * step, step)
      if isLast {
        unsafe operands.finish.activation?.apply(target, target, rows: count, columns: columns, stride: operands.ldc)
      }
    }
  }
}
