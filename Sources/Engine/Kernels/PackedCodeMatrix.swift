internal import CKernels

/// A constant right-hand operand of float Gemms whose weights are codes of 8 or 4 bits: (code - zero) · scale, with scales
/// and zero points for all, for each column, or for each block along k of each column.
///
/// `@unchecked Sendable`: the storage is written in `init` and only read afterwards.
@safe package final class PackedCodeMatrix: @unchecked Sendable {
  package let depth: Int
  package let columns: Int
  package let bits: Int
  package let table: KernelTable
  let panels: nn_code_panels
  private let codes: PackedMemory
  private let scales: PackedMemory
  private let zeros: PackedMemory?

  /// Size of the storage.
  package var byteCount: Int { codes.byteCount + scales.byteCount + (zeros?.byteCount ?? 0) }

  /// What is packed.
  @unsafe package struct Source {
    package let depth: Int
    package let columns: Int
    /// 8 or 4.
    package let bits: Int
    /// Elements along k that share a scale; the depth when all of a column do.
    package let block: Int
    /// One code a byte, or two of 4 bits, the even k in the low half.
    package let codes: UnsafePointer<UInt8>
    /// Bytes from one code to the next along k and along the columns; halves of bytes along k when `isPacked`.
    package let depthStride: Int
    package let columnStride: Int
    package let isPacked: Bool
    /// Added to each code to make it unsigned: 128 or 8 for signed ones.
    package let offset: UInt8
    /// The scale of a block of a column, and its zero point as the codes have it before they are made unsigned.
    package let scale: (_ block: Int, _ column: Int) -> Float
    package let zero: (_ block: Int, _ column: Int) -> Int32

    package init(
      depth: Int, columns: Int, bits: Int, block: Int, codes: UnsafePointer<UInt8>, depthStride: Int,
      columnStride: Int, isPacked: Bool = false, offset: UInt8, scale: @escaping (Int, Int) -> Float,
      zero: @escaping (Int, Int) -> Int32
    ) {
      unsafe self.depth = depth
      unsafe self.columns = columns
      unsafe self.bits = bits
      unsafe self.block = block
      unsafe self.codes = codes
      unsafe self.depthStride = depthStride
      unsafe self.columnStride = columnStride
      unsafe self.isPacked = isPacked
      unsafe self.offset = offset
      unsafe self.scale = scale
      unsafe self.zero = zero
    }
  }

  /// - Returns: `nil` for blocks that the kernels do not take and for zero points that are no unsigned bytes.
  /// - Throws: `EngineError` when there is no memory for the panels.
  package init?(_ source: Source, table: KernelTable = .current, pool: ThreadPool) throws(EngineError) {
    let (depth, columns, bits, block) = unsafe (source.depth, source.columns, source.bits, source.block)
    guard depth > 0, columns > 0, bits == 8 || bits == 4, block > 0,
      bits == 8 || block >= depth || block % Self.wordCodes == 0
    else { return nil }
    self.depth = depth
    self.columns = columns
    self.bits = bits
    self.table = table
    let nr = table.gemmColumns
    let panelCount = (columns + nr - 1) / nr
    let blocks = (depth + block - 1) / block
    codes = try PackedMemory(byteCount: panelCount * nr * Self.columnByteCount(depth: depth, bits: bits))
    scales = try PackedMemory(byteCount: panelCount * nr * blocks * MemoryLayout<Float>.stride)
    let scaleTarget = unsafe scales.base.bindMemory(to: Float.self, capacity: panelCount * nr * blocks)
    let offset = unsafe Int32(source.offset)
    let firstZero = unsafe source.zero(0, 0) &+ offset
    var isUniform = true
    for column in 0..<panelCount * nr {
      for block in 0..<blocks {
        let scale = unsafe column < columns ? source.scale(block, column) : 0
        unsafe scaleTarget[(column / nr * blocks + block) * nr + column % nr] = scale
        guard column < columns else { continue }
        let zero = unsafe source.zero(block, column) &+ offset
        guard zero >= 0, zero <= 255 else { return nil }
        isUniform = isUniform && zero == firstZero
      }
    }
    if isUniform {
      zeros = nil
    } else {
      let memory = try PackedMemory(byteCount: panelCount * nr * blocks)
      let target = unsafe memory.base.bindMemory(to: UInt8.self, capacity: panelCount * nr * blocks)
      for column in 0..<panelCount * nr {
        for block in 0..<blocks {
          let zero = unsafe column < columns ? source.zero(block, column) &+ offset : 0
          unsafe target[(column / nr * blocks + block) * nr + column % nr] = UInt8(truncatingIfNeeded: zero)
        }
      }
      zeros = memory
    }
    unsafe panels = nn_code_panels(
      codes: codes.pointer(UInt8.self), scales: scales.pointer(Float.self), zeros: zeros?.pointer(UInt8.self),
      zero: Float(firstZero), depth: depth, block: min(block, depth), bits: Int32(bits))
    unsafe CodePacking(source: source, nr: nr, target: codes.base.assumingMemoryBound(to: UInt8.self)).run(pool)
  }

  /// Codes of 4 bits that the kernels read at once.
  private static let wordCodes = 8

  /// Bytes of the codes of a column.
  fileprivate static func columnByteCount(depth: Int, bits: Int) -> Int {
    bits == 8 ? depth : (depth + wordCodes - 1) / wordCodes * (wordCodes / 2)
  }

  var panelCount: Int { (columns + table.gemmColumns - 1) / table.gemmColumns }
}

/// One packing of codes into panels.
@unsafe private struct CodePacking {
  let source: PackedCodeMatrix.Source
  let nr: Int
  let target: UnsafeMutablePointer<UInt8>

  func run(_ pool: ThreadPool) {
    let (depth, columns) = unsafe (source.depth, source.columns)
    let panels = unsafe (columns + nr - 1) / nr
    let estimate = WorkEstimate(nanoseconds: Double(depth) * Double(columns) * 2)
    let tasks = max(1, estimate.taskCount(most: panels, pool))
    pool.parallelFor(tasks: tasks) { task in
      for panel in panels * task / tasks..<panels * (task + 1) / tasks { unsafe pack(panel) }
    }
  }

  /// Packs a panel, some bytes of each column after the others so that a source with columns far apart is read line by line.
  private func pack(_ panel: Int) {
    let (depth, bits) = unsafe (source.depth, source.bits)
    let width = unsafe min(nr, source.columns - panel * nr)
    let columnBytes = PackedCodeMatrix.columnByteCount(depth: depth, bits: bits)
    // Neighbouring bytes of a column: those of a word.
    let unit = bits == 8 ? 1 : 4
    let panelTarget = unsafe target + panel * columnBytes * nr
    let chunk = 64
    for first in stride(from: 0, to: columnBytes, by: chunk) {
      let bytes = first..<min(first + chunk, columnBytes)
      for column in unsafe 0..<nr {
        let line = unsafe source.codes + (panel * nr + min(column, width - 1)) * source.columnStride
        for byte in bytes {
          let place = unsafe (byte / unit * nr + column) * unit + byte % unit
          unsafe panelTarget[place] = column < width ? self.byte(line, byte) : 0
        }
      }
    }
  }

  /// A code of 8 bits or two of 4 bits, 0 behind the end.
  @inline(__always)
  private func byte(_ line: UnsafePointer<UInt8>, _ index: Int) -> UInt8 {
    if unsafe source.bits == 8 { return unsafe code(line, index) }
    let (low, high) = (2 * index, 2 * index + 1)
    let isPair = unsafe high < source.depth
    return unsafe (low < source.depth ? code(line, low) & 15 : 0) | (isPair ? code(line, high) << 4 : 0)
  }

  @inline(__always)
  private func code(_ line: UnsafePointer<UInt8>, _ k: Int) -> UInt8 {
    if unsafe source.isPacked { return unsafe line[k >> 1] >> UInt8(truncatingIfNeeded: (k & 1) << 2) & 15 }
    return unsafe line[k * source.depthStride] &+ source.offset
  }
}
