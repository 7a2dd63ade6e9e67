internal import CKernels

/// The gradient of weights, dW = Aᵀ dY, in the order in which `PanelLayout` keeps the weights.
///
/// With an update, each part of the gradient changes its weights as soon as it is computed and goes nowhere else: then
/// memory is passed once in the place of three times. An element is what `Gemm` defines, whatever the threads.
@unsafe struct WeightGradient {
  private let rows: Int
  private let layout: PanelLayout
  private let a: UnsafePointer<Float>
  private let target: UnsafeMutablePointer<Float>
  private let update: UnsafePointer<ParameterUpdate>?
  private let table: KernelTable
  private let panels: UnsafeMutablePointer<Float>
  private let packed: UnsafeMutablePointer<Float>
  private let tiles: Runs
  private let tilesPerGroup: Int
  private let groups: ShrinkingRuns
  private let blocks: Int

  /// Bytes of scratch memory.
  static func scratchByteCount(rows: Int, _ layout: PanelLayout) -> Int {
    KernelTable.current.panelByteCount(depth: rows, columns: layout.columns) + rows * layout.depth * 4
  }

  /// - Parameters:
  ///   - rows: rows of A [rows x depth] and of dY [rows x columns].
  ///   - target: receives the gradient; not touched when there is an update.
  ///   - scratch: `scratchByteCount` bytes.
  init(
    rows: Int, _ layout: PanelLayout, a: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>,
    update: UnsafePointer<ParameterUpdate>?, scratch: UnsafeMutableRawPointer, pool: ThreadPool
  ) {
    let table = KernelTable.current
    unsafe self.rows = rows
    unsafe self.layout = layout
    unsafe self.a = a
    unsafe self.target = target
    unsafe self.update = update
    unsafe self.table = table
    unsafe panels = scratch.assumingMemoryBound(to: Float.self)
    unsafe packed = panels + table.panelByteCount(depth: rows, columns: layout.columns) / 4
    let tiles = Runs(of: layout.depth, most: table.gemmRows)
    unsafe self.tiles = tiles
    unsafe blocks = (rows + Gemm.blockDepth - 1) / Gemm.blockDepth
    let values = Double(layout.depth * layout.columns)
    let arithmetic = unsafe WorkEstimate(
      gemmRows: layout.depth, weights: rows * layout.columns, instructionSet: table.instructionSet)
    let estimate = unsafe WorkEstimate(nanoseconds: arithmetic.nanoseconds + (update == nil ? 0 : values))
    let most = max(1, min(Int(nn_thread_scratch_count) / 2 / (table.gemmColumns * table.gemmRows), tiles.count))
    let isShared = estimate.isWorthSharing(pool)
    let perGroup = isShared ? max(1, min(most, tiles.count / (4 * pool.threadCount))) : most
    unsafe tilesPerGroup = perGroup
    let groupCount = (tiles.count + perGroup - 1) / perGroup
    unsafe groups =
      isShared
      ? ShrinkingRuns(of: groupCount, least: estimate.leastShare(of: groupCount), threads: pool.threadCount)
      : ShrinkingRuns(whole: groupCount)
  }

  func run(dy: UnsafePointer<Float>, _ pool: ThreadPool) {
    guard unsafe rows > 0, unsafe layout.depth > 0, unsafe layout.columns > 0 else { return }
    unsafe PanelPacking(
      depth: rows, columns: layout.columns, source: dy, stride: layout.columns, isTransposed: false, alpha: 1,
      panels: panels, nr: table.gemmColumns, form: table.gemmForm(.float32)
    ).run(pool)
    unsafe withUnsafePointer(to: self) { pointer in
      unsafe pool.parallelFor(tasks: groups.count, context: UnsafeRawPointer(pointer)) { context, task in
        let gradient = unsafe context.assumingMemoryBound(to: WeightGradient.self)
        for group in unsafe gradient.pointee.groups[task] { unsafe gradient.pointee.run(group: group) }
      }
    }
  }

  /// Packs some tiles of A and multiplies them by all panels of dY.
  private func run(group: Int) {
    let (first, last) = unsafe (group * tilesPerGroup, min((group + 1) * tilesPerGroup, tiles.count))
    for tile in first..<last {
      for block in unsafe 0..<blocks {
        let depths = unsafe min(Gemm.blockDepth, rows - block * Gemm.blockDepth)
        unsafe table.gemm.pointee.pack_a(
          tiles.start(tile + 1) - tiles.start(tile), depths,
          a + block * Gemm.blockDepth * layout.depth + tiles.start(tile),
          1, layout.depth, packedTile(tile, block, depths))
      }
    }
    for column in unsafe stride(from: 0, to: layout.columns, by: table.gemmColumns) {
      unsafe multiply(first..<last, column)
    }
  }

  private func packedTile(_ tile: Int, _ block: Int, _ depths: Int) -> UnsafeMutablePointer<Float> {
    unsafe packed + block * Gemm.blockDepth * layout.depth + tiles.start(tile) * depths
  }

  private func multiply(_ range: Range<Int>, _ column: Int) {
    let nr = unsafe table.gemmColumns
    let columns = unsafe min(nr, layout.columns - column)
    let start = unsafe tiles.start(range.lowerBound)
    let count = unsafe (tiles.start(range.upperBound) - start) * nr
    let offset = unsafe column * layout.depth + start * nr
    let part = unsafe update == nil ? target + offset : nn_thread_scratch()
    // What the kernel leaves alone must not reach the weights' padding.
    if unsafe update != nil && columns < nr { unsafe part.update(repeating: 0, count: count) }
    for tile in range {
      let height = unsafe tiles.start(tile + 1) - tiles.start(tile)
      let c = unsafe part + (tiles.start(tile) - start) * nr
      for block in unsafe 0..<blocks {
        let depths = unsafe min(Gemm.blockDepth, rows - block * Gemm.blockDepth)
        let right = unsafe panels + column * rows + block * Gemm.blockDepth * nr
        unsafe table.gemmForm(.float32).pointee.tile(
          height, depths, packedTile(tile, block, depths), right, c, nr, columns, nil, false, block > 0, right, 0)
      }
    }
    unsafe update?.pointee.run(offset..<offset + count, gradients: part)
  }
}
