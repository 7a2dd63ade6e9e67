internal import CKernels

/// A constant right-hand operand of `ByteGemm`: bytes in the order its kernel reads, one byte a weight.
///
/// Unsigned weights are stored less 128, their zero points with them. Where a kernel adds two products in 16 bits, the part
/// of the weights that would not fit is kept apart in groups of its own; if there are many, another kernel is taken.
///
/// `@unchecked Sendable`: the storage is written in `init` and only read afterwards.
@safe package final class PackedByteMatrix: @unchecked Sendable {
  package let depth: Int
  package let columns: Int
  package let kernels: IntegerKernels
  let panels: UnsafePointer<Int8>
  /// The sum over k of each column; whole vectors of 16.
  let columnSums: UnsafePointer<Int32>
  /// Zero points of the columns, when any is not 0.
  let zeros: UnsafePointer<Int32>?
  private let storage: PackedMemory
  private let sums: PackedMemory
  private let zeroStorage: PackedMemory?
  private let splits: SplitGroups?

  /// Size of the storage.
  package var byteCount: Int {
    storage.byteCount + sums.byteCount + (zeroStorage?.byteCount ?? 0) + (splits?.byteCount ?? 0)
  }

  /// The most groups with weights of their own, beside those of the matrix, that do not slow a kernel down.
  private static let mostSplits = 0.15

  /// - Parameters:
  ///   - source: [depth x columns], or [columns x depth] when `isTransposed`, of int8 if `isSigned`, else uint8.
  ///   - zeros: one zero point, or one for each column.
  ///   - kernels: the kernel; otherwise the best for the table and the weights.
  /// - Throws: `EngineError` when there is no memory for the panels.
  package init(
    depth: Int, columns: Int, source: UnsafePointer<UInt8>, isTransposed: Bool, isSigned: Bool, zeros: [Int32],
    table: KernelTable = .current, kernels: IntegerKernels? = nil, pool: ThreadPool
  ) throws(EngineError) {
    self.depth = depth
    self.columns = columns
    let wanted = kernels ?? .best(for: table)
    func pack(_ kernels: IntegerKernels) throws(EngineError) -> BytePacking {
      try unsafe BytePacking(
        depth: depth, columns: columns, source: source, isTransposed: isTransposed, flip: isSigned ? 0 : 0x80,
        kernels: kernels)
    }
    var packing = try unsafe pack(wanted)
    unsafe packing.run(pool)
    var chosen = wanted
    var splits: SplitGroups?
    if wanted.splitsWeights {
      let counts = unsafe packing.splitCounts(pool)
      let total = counts.reduce(0, +)
      let groups = unsafe packing.panelCount * wanted.groups(depth)
      let others = IntegerKernels.all(for: table).filter { !$0.splitsWeights }
      if kernels == nil, Double(total) > Double(groups) * Self.mostSplits, let other = others.last {
        chosen = other
        unsafe packing = try pack(other)
        unsafe packing.run(pool)
      } else if total > 0 {
        splits = try unsafe SplitGroups(packing, counts, pool)
      }
    }
    self.kernels = chosen
    self.splits = splits
    unsafe storage = packing.panels
    unsafe sums = packing.sums
    unsafe panels = storage.pointer(Int8.self)
    unsafe columnSums = sums.pointer(Int32.self)
    let offset: Int32 = isSigned ? 0 : 128
    let all = zeros.count == columns ? zeros : Array(repeating: zeros.first ?? 0, count: columns)
    zeroStorage =
      all.contains { $0 != offset } ? try PackedMemory(columns: all.map { $0 &- offset }, fill: 0) : nil
    unsafe self.zeros = zeroStorage?.pointer(Int32.self)
  }

  var panelCount: Int { (columns + kernels.columns - 1) / kernels.columns }

  /// Bytes of one panel.
  var panelByteCount: Int { kernels.groups(depth) * kernels.group * kernels.columns }

  /// The groups beside a panel, for the rows of the left side from `left` on.
  func split(_ panel: Int, left: UnsafePointer<UInt8>) -> nn_split_groups? { unsafe splits?.groups(panel, left: left) }
}

/// One packing of bytes into panels.
@unsafe private struct BytePacking {
  let depth: Int
  let columns: Int
  let source: UnsafePointer<UInt8>
  let isTransposed: Bool
  let flip: UInt8
  let kernels: IntegerKernels
  let panels: PackedMemory
  let sums: PackedMemory
  let panelCount: Int
  let panelByteCount: Int

  init(
    depth: Int, columns: Int, source: UnsafePointer<UInt8>, isTransposed: Bool, flip: UInt8, kernels: IntegerKernels
  ) throws(EngineError) {
    unsafe self.depth = depth
    unsafe self.columns = columns
    unsafe self.source = source
    unsafe self.isTransposed = isTransposed
    unsafe self.flip = flip
    unsafe self.kernels = kernels
    unsafe panelCount = (columns + kernels.columns - 1) / kernels.columns
    unsafe panelByteCount = kernels.groups(depth) * kernels.group * kernels.columns
    unsafe panels = try PackedMemory(byteCount: panelCount * panelByteCount)
    unsafe sums = try PackedMemory(byteCount: panelCount * kernels.columns * MemoryLayout<Int32>.stride)
  }

  func run(_ pool: ThreadPool) {
    unsafe forEachPanel(pool, nanoseconds: 2) { panel in
      let column = unsafe panel * kernels.columns
      let start = unsafe isTransposed ? column * depth : column
      unsafe kernels.gemm.pointee.pack_b(
        depth, columns - column, source + start, isTransposed ? depth : columns, isTransposed, flip,
        values(panel), sums.base.assumingMemoryBound(to: Int32.self) + column)
    }
  }

  func values(_ panel: Int) -> UnsafeMutablePointer<Int8> {
    unsafe panels.base.assumingMemoryBound(to: Int8.self) + panel * panelByteCount
  }

  /// How many groups of each panel have weights that do not fit.
  func splitCounts(_ pool: ThreadPool) -> [Int] {
    unsafe [Int](unsafeUninitializedCapacity: panelCount) { counts, initialized in
      unsafe initialized = panelCount
      guard let target = counts.baseAddress, let split = unsafe kernels.gemm.pointee.split else { return }
      let groups = unsafe kernels.groups(depth)
      unsafe forEachPanel(pool, nanoseconds: 0.5) { unsafe target[$0] = unsafe split(groups, values($0), nil, nil) }
    }
  }

  func forEachPanel(_ pool: ThreadPool, nanoseconds: Double, _ body: (Int) -> Void) {
    let estimate = unsafe WorkEstimate(nanoseconds: Double(depth) * Double(columns) * nanoseconds)
    let tasks = unsafe max(1, estimate.taskCount(most: panelCount, pool))
    let count = unsafe panelCount
    pool.parallelFor(tasks: tasks) { task in
      for panel in count * task / tasks..<count * (task + 1) / tasks { body(panel) }
    }
  }
}

/// The weights that stand beside the panels.
@safe private final class SplitGroups: @unchecked Sendable {
  /// The first group of each panel, and the end of the last one.
  private let starts: [Int]
  private let indices: PackedMemory
  private let values: PackedMemory
  private let groupByteCount: Int

  var byteCount: Int { indices.byteCount + values.byteCount }

  init(_ packing: BytePacking, _ counts: [Int], _ pool: ThreadPool) throws(EngineError) {
    var starts = [0]
    for count in counts { starts.append(starts[starts.count - 1] + count) }
    let total = starts[counts.count]
    groupByteCount = unsafe packing.kernels.columns * packing.kernels.group
    indices = try PackedMemory(byteCount: total * MemoryLayout<Int32>.stride)
    values = try PackedMemory(byteCount: total * groupByteCount)
    self.starts = starts
    let groups = unsafe packing.kernels.groups(packing.depth)
    guard let split = unsafe packing.kernels.gemm.pointee.split else { return }
    unsafe packing.forEachPanel(pool, nanoseconds: 0.5) { panel in
      guard counts[panel] > 0 else { return }
      unsafe _ = split(
        groups, packing.values(panel), indices.base.assumingMemoryBound(to: Int32.self) + starts[panel],
        values.base.assumingMemoryBound(to: Int8.self) + starts[panel] * groupByteCount)
    }
  }

  func groups(_ panel: Int, left: UnsafePointer<UInt8>) -> nn_split_groups? {
    let count = starts[panel + 1] - starts[panel]
    guard count > 0 else { return nil }
    return unsafe nn_split_groups(
      count: count, groups: indices.pointer(Int32.self) + starts[panel],
      values: values.pointer(Int8.self) + starts[panel] * groupByteCount, left: left)
  }
}
