internal import CKernels

/// A chunk of rows of a ByteGemm: their codes are carried, then multiplied by all panels. Weights that stay near are
/// multiplied by a few rows as soon as these are carried, so that threads need not wait for each other in between.
@unsafe struct ByteGemmSection {
  private let gemm: ByteGemm
  private let layout: ByteGemmScratch
  private let scratch: UnsafeMutableRawPointer
  private let rows: Range<Int>
  private let kernel: nn_gemm_u8s8_kernel
  private let quantiser: UnsafePointer<nn_quantise_kernels>
  /// Applied to what the kernel has stored; it rectifies by itself.
  private let activation: ResolvedActivation?
  private let tiles: Runs
  private var rowsPerTask = 0
  /// Tiles whose rows a thread carries and multiplies before the next ones.
  private let rowRuns: ShrinkingRuns
  private let isByRows: Bool
  private let tasks: PanelTasks

  init(
    _ gemm: ByteGemm, _ layout: ByteGemmScratch, _ scratch: UnsafeMutableRawPointer, rows: Range<Int>,
    _ pool: ThreadPool
  ) {
    unsafe self.gemm = gemm
    unsafe self.layout = layout
    unsafe self.scratch = scratch
    unsafe self.rows = rows
    let kernels = unsafe gemm.weights.kernels
    unsafe kernel = kernels.gemm.pointee
    unsafe quantiser = kernels.codes
    let tiles = unsafe Runs(of: rows.count, most: kernels.rows)
    unsafe self.tiles = tiles
    let panels = unsafe gemm.weights.panelCount
    let weightBytes = unsafe Double(panels * gemm.weights.panelByteCount)
    let arithmetic = 2 * Double(rows.count) * weightBytes / kernels.operationsPerNanosecond
    let estimate = WorkEstimate(nanoseconds: max(arithmetic, weightBytes / 40))
    let tasks = PanelTasks(panels: panels, tiles: tiles.count, estimate, pool)
    unsafe self.tasks = tasks
    let values = unsafe Double(rows.count) * Double(gemm.weights.depth + gemm.weights.columns)
    let whole = WorkEstimate(nanoseconds: estimate.nanoseconds + values * 0.2)
    let rowRuns =
      whole.isWorthSharing(pool)
      ? ShrinkingRuns(of: tiles.count, least: whole.leastShare(of: tiles.count), threads: pool.threadCount)
      : ShrinkingRuns(whole: tiles.count)
    unsafe self.rowRuns = rowRuns
    // A few rows make too few tasks for all threads.
    unsafe isByRows = layout.isByRows && rowRuns.count >= min(tasks.count, pool.threadCount)
    switch unsafe gemm.result {
    case .integers: unsafe activation = nil
    case .floats(_, let scaling, _), .codes(_, let scaling, _):
      unsafe activation = scaling.activation == .relu ? nil : ResolvedActivation(scaling.activation, kernels.table)
    }
  }

  consuming func run(_ pool: ThreadPool) {
    unsafe writeTerms()
    if unsafe isByRows {
      unsafe runRows(pool)
    } else {
      unsafe carry(pool)
      unsafe multiply(pool)
    }
    if case .floats(_, _, let range?) = unsafe gemm.result { unsafe gatherRanges(into: range) }
  }

  private func runRows(_ pool: ThreadPool) {
    let count = unsafe rowRuns.count
    if count == 1 { return unsafe runRows(task: 0) }
    unsafe withUnsafePointer(to: self) { pointer in
      unsafe pool.parallelFor(tasks: count, context: UnsafeRawPointer(pointer)) { context, task in
        unsafe context.assumingMemoryBound(to: ByteGemmSection.self).pointee.runRows(task: task)
      }
    }
  }

  private func runRows(task: Int) {
    var run = unsafe rowRuns[task]
    while !run.isEmpty {
      let tiles = run.prefix(Self.tilesAtOnce)
      unsafe carry(self.tiles.start(tiles.lowerBound)..<self.tiles.start(tiles.upperBound))
      unsafe multiply(0..<gemm.weights.panelCount, tiles)
      run = tiles.upperBound..<run.upperBound
    }
  }

  private static let tilesAtOnce = 4

  private func integers(_ offset: Int) -> UnsafeMutablePointer<Int32> {
    unsafe (scratch + offset).assumingMemoryBound(to: Int32.self)
  }

  private var codes: UnsafeMutablePointer<UInt8> {
    unsafe (scratch + layout.codes).assumingMemoryBound(to: UInt8.self)
  }

  /// How many different zero points the rows have.
  private var zeroCount: Int { unsafe gemm.zeroStride == 0 ? 1 : rows.count }

  private func writeTerms() {
    let (terms, zeros) = unsafe (integers(layout.leftTerms), integers(layout.quantiserZeros))
    let first = unsafe gemm.zeros + rows.lowerBound * gemm.zeroStride
    for index in unsafe 0..<zeroCount {
      unsafe terms[index] = kernel.left_offset &- first[index]
      unsafe zeros[index] = first[index] &- kernel.left_offset
    }
  }

  // MARK: The left side

  private mutating func carry(_ pool: ThreadPool) {
    let depth = unsafe gemm.weights.depth
    let estimate = unsafe WorkEstimate(nanoseconds: Double(rows.count) * Double(depth) * 0.2)
    let wanted = unsafe estimate.taskCount(most: rows.count, pool)
    unsafe rowsPerTask = (rows.count + wanted - 1) / wanted
    let tasks = unsafe (rows.count + rowsPerTask - 1) / rowsPerTask
    if tasks == 1 { return unsafe carry(task: 0) }
    unsafe withUnsafePointer(to: self) { pointer in
      unsafe pool.parallelFor(tasks: tasks, context: UnsafeRawPointer(pointer)) { context, task in
        unsafe context.assumingMemoryBound(to: ByteGemmSection.self).pointee.carry(task: task)
      }
    }
  }

  private func carry(task: Int) {
    let first = unsafe task * rowsPerTask
    unsafe carry(first..<min(first + rowsPerTask, rows.count))
  }

  private func carry(_ range: Range<Int>) {
    let (first, count) = (range.lowerBound, range.count)
    let depth = unsafe gemm.weights.depth
    let start = unsafe (rows.lowerBound + first) * depth
    let target = unsafe codes + first * layout.leftStride
    let isWide = unsafe kernel.left_width == 2
    switch unsafe gemm.left {
    case .codes(let source, let isSigned):
      let offsetFlip: UInt8 = unsafe kernel.left_offset == 0 ? 0 : 0x80
      let flip: UInt8 = (isSigned ? 0x80 : 0) ^ offsetFlip
      let function = unsafe isWide ? quantiser.pointee.carry.1 : quantiser.pointee.carry.0
      unsafe function(count, depth, source + start, depth, flip, target, layout.leftStride)
    case .floats(let source, let form):
      let scaleStride = unsafe form.stride
      let zeroStride = unsafe gemm.zeroStride
      var scaling = unsafe nn_code_scaling(
        scales: form.scales + (rows.lowerBound + first) * scaleStride, scale_stride: scaleStride,
        zeros: integers(layout.quantiserZeros) + first * zeroStride, zero_stride: zeroStride,
        multiplies: form.multiplies, lowest: form.lowest - kernel.left_offset,
        highest: form.highest - kernel.left_offset)
      let function = unsafe isWide ? quantiser.pointee.quantise.1 : quantiser.pointee.quantise.0
      unsafe function(count, depth, source + start, depth, &scaling, target, layout.leftStride)
    }
    guard unsafe gemm.weights.zeros != nil else { return }
    for row in range { unsafe writeRowTerm(row) }
  }

  /// The sum of a row's codes less their zero points.
  private func writeRowTerm(_ row: Int) {
    let depth = unsafe gemm.weights.depth
    let source = unsafe codes + row * layout.leftStride
    var sum: Int32 = 0
    if unsafe kernel.left_width == 1 {
      let flip: UInt8 = unsafe kernel.left_offset == 0 ? 0 : 0x80
      unsafe quantiser.pointee.byte_sums(1, depth, source, depth, flip, &sum)
    } else {
      let values = unsafe UnsafeRawPointer(source).assumingMemoryBound(to: Int16.self)
      for k in 0..<depth { unsafe sum &+= Int32(values[k]) }
    }
    let zero = unsafe gemm.zeros[(rows.lowerBound + row) * gemm.zeroStride]
    unsafe integers(layout.rowTerms)[row] = sum &- Int32(truncatingIfNeeded: depth) &* zero
  }

  // MARK: The products

  private func multiply(_ pool: ThreadPool) {
    let tasks = unsafe tasks.count
    if tasks == 1 { return unsafe multiply(task: 0) }
    unsafe withUnsafePointer(to: self) { pointer in
      unsafe pool.parallelFor(tasks: tasks, context: UnsafeRawPointer(pointer)) { context, task in
        unsafe context.assumingMemoryBound(to: ByteGemmSection.self).pointee.multiply(task: task)
      }
    }
  }

  private func multiply(task: Int) {
    unsafe tasks.forEachPiece(of: task) { panels, tiles in unsafe multiply(panels, tiles) }
  }

  private func multiply(_ panels: Range<Int>, _ tiles: Range<Int>) {
    var tileSums = InlineArray<384, Int32>(repeating: 0)
    unsafe withUnsafeMutablePointer(to: &tileSums) { pointer in
      let own = unsafe UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: Int32.self)
      for block in unsafe 0..<layout.blocks {
        for panel in panels {
          for tile in tiles { unsafe multiply(block, panel, tile, own) }
        }
      }
    }
  }

  /// Adds one block of k of one panel to a tile; the last one finishes the tile.
  private func multiply(_ block: Int, _ panel: Int, _ tile: Int, _ own: UnsafeMutablePointer<Int32>) {
    let weights = unsafe gemm.weights
    let (nr, group) = (weights.kernels.columns, weights.kernels.group)
    let first = unsafe tiles.start(tile)
    let count = unsafe tiles.start(tile + 1) - first
    let isLast = unsafe block + 1 == layout.blocks
    let blockGroups = unsafe ByteGemmScratch.blockGroups
    let start = block * blockGroups
    let end = isLast ? weights.kernels.groups(weights.depth) : start + blockGroups
    let left = unsafe codes + first * layout.leftStride
    let right = unsafe weights.panels + panel * weights.panelByteCount + start * nr * group
    let isWhole = unsafe layout.blocks == 1
    let target = unsafe isWhole ? own : integers(layout.sums) + first * layout.width + panel * nr
    let stride = unsafe isWhole ? nr : layout.width
    if isLast, var split = unsafe weights.split(panel, left: left) {
      unsafe kernel.tile(
        count, end - start, left + start * 4, layout.leftStride, right, &split, target, stride, block > 0)
    } else {
      unsafe kernel.tile(count, end - start, left + start * 4, layout.leftStride, right, nil, target, stride, block > 0)
    }
    if isLast { unsafe finish(target, stride, panel * nr, tile, first..<first + count) }
  }

  private func finish(
    _ sums: UnsafeMutablePointer<Int32>, _ stride: Int, _ column: Int, _ tile: Int, _ tileRows: Range<Int>
  ) {
    let columns = unsafe gemm.weights.columns
    let width = unsafe min(Int(kernel.nr), columns - column)
    let place = unsafe (rows.lowerBound + tileRows.lowerBound) * columns + column
    switch unsafe gemm.result {
    case .integers(let target):
      var terms = unsafe terms(nil, column, tileRows.lowerBound)
      unsafe quantiser.pointee.finish_integers(tileRows.count, width, sums, stride, &terms, target + place, columns)
    case .floats(let target, let scaling, let range):
      var terms = unsafe terms(scaling, column, tileRows.lowerBound)
      if unsafe range != nil { unsafe terms.range = tileRange(tile, column / Int(kernel.nr)) }
      unsafe quantiser.pointee.finish_floats(tileRows.count, width, sums, stride, &terms, target + place, columns)
      unsafe activation?.apply(target + place, target + place, rows: tileRows.count, columns: width, stride: columns)
    case .codes(let target, let scaling, var rounding):
      var terms = unsafe terms(scaling, column, tileRows.lowerBound)
      // The floats take the place of the sums that they come from.
      let floats = unsafe UnsafeMutableRawPointer(sums).assumingMemoryBound(to: Float.self)
      unsafe quantiser.pointee.finish_floats(tileRows.count, width, sums, stride, &terms, floats, stride)
      unsafe activation?.apply(floats, floats, rows: tileRows.count, columns: width, stride: stride)
      unsafe withUnsafePointer(to: &rounding.scale) { scale in
        unsafe withUnsafePointer(to: &rounding.zero) { zero in
          var codes = unsafe nn_code_scaling(
            scales: scale, scale_stride: 0, zeros: zero, zero_stride: 0, multiplies: false, lowest: rounding.lowest,
            highest: rounding.highest)
          unsafe quantiser.pointee.quantise.0(
            tileRows.count, width, floats, stride, &codes, target + place, columns)
        }
      }
    }
  }

  private func terms(_ scaling: ByteGemm.Scaling?, _ column: Int, _ row: Int) -> nn_sum_terms {
    let weights = unsafe gemm.weights
    let zeros = unsafe weights.zeros
    let rowStride = unsafe scaling?.rowStride ?? 0
    let left = unsafe UnsafePointer(integers(layout.leftTerms)) + row * gemm.zeroStride
    let rowScales = unsafe scaling?.rowScales ?? Self.one
    let columnScales = unsafe scaling.map { unsafe $0.columnScales + column } ?? Self.one
    return unsafe nn_sum_terms(
      left: left, left_stride: gemm.zeroStride, column_sums: weights.columnSums + column,
      row_terms: zeros == nil ? nil : UnsafePointer(integers(layout.rowTerms)) + row,
      right_zeros: zeros.map { unsafe $0 + column }, offsets: gemm.offsets.map { unsafe $0 + column },
      row_scales: rowScales + (scaling == nil ? 0 : (rows.lowerBound + row) * rowStride),
      row_scale_stride: rowStride, column_scales: columnScales, divides: scaling?.divides ?? false,
      bias: scaling?.bias.map { unsafe $0 + column }, rectifies: scaling?.activation == .relu, range: nil)
  }

  // MARK: The range of the results

  /// Where the range of a tile's results in a panel is written: threads need not wait for each other.
  private func tileRange(_ tile: Int, _ panel: Int) -> UnsafeMutablePointer<Float> {
    unsafe (scratch + layout.ranges).assumingMemoryBound(to: Float.self)
      + 2 * (tile * gemm.weights.panelCount + panel)
  }

  private func gatherRanges(into range: UnsafeMutablePointer<Float>) {
    for part in unsafe 0..<tiles.count * gemm.weights.panelCount {
      let ends = unsafe tileRange(0, part)
      unsafe range[0] = min(range[0], ends[0])
      unsafe range[1] = max(range[1], ends[1])
    }
  }

  /// What stands where there are no scales, and is not read.
  private nonisolated(unsafe) static let one: UnsafePointer<Float> = {
    let values = UnsafeMutablePointer<Float>.allocate(capacity: 16)
    unsafe values.initialize(repeating: 1, count: 16)
    return unsafe UnsafePointer(values)
  }()
}
