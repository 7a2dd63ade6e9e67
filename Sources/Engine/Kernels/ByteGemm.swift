internal import CKernels

/// C = finish((A - zeros) · (B - zeros)) of 8-bit codes with a packed B, exact modulo 2^32 up to `finish`.
///
/// A is [rows x depth], codes or floats that become codes here; C is [rows x columns]. Sums are integers, so that a row's
/// result depends neither on the other rows nor on threads and kernels; what follows is rounded operation by operation.
/// Running allocates nothing.
@unsafe package struct ByteGemm {
  /// The left side. Codes count as unsigned: those of int8 are moved by 128, with their zero points.
  @unsafe package enum Left {
    case codes(UnsafePointer<UInt8>, isSigned: Bool)
    /// round(x / scale) + zero, or round(x · scale) + zero where it multiplies, within bounds.
    case floats(UnsafePointer<Float>, FloatCodes)
  }

  /// How floats become codes.
  @unsafe package struct FloatCodes {
    let scales: UnsafePointer<Float>
    /// 1 for a scale of each row, 0 for one of all.
    let stride: Int
    let multiplies: Bool
    let lowest: Int32
    let highest: Int32

    package init(
      scales: UnsafePointer<Float>, stride: Int, multiplies: Bool = false, lowest: Int32 = 0, highest: Int32 = 255
    ) {
      unsafe self.scales = scales
      unsafe self.stride = stride
      unsafe self.multiplies = multiplies
      unsafe self.lowest = lowest
      unsafe self.highest = highest
    }
  }

  /// From sums to floats: sum · (row scale · column scale) + bias, or sum / (row scale · column scale) + bias, then the
  /// activation. Arrays over columns have whole vectors of 16.
  @unsafe package struct Scaling {
    let rowScales: UnsafePointer<Float>
    let rowStride: Int
    let columnScales: UnsafePointer<Float>
    let divides: Bool
    let bias: UnsafePointer<Float>?
    let activation: Activation

    package init(
      rowScales: UnsafePointer<Float>, rowStride: Int, columnScales: UnsafePointer<Float>, divides: Bool = false,
      bias: UnsafePointer<Float>? = nil, activation: Activation = .identity
    ) {
      unsafe self.rowScales = rowScales
      unsafe self.rowStride = rowStride
      unsafe self.columnScales = columnScales
      unsafe self.divides = divides
      unsafe self.bias = bias
      unsafe self.activation = activation
    }
  }

  /// What floats are rounded to at last: round(x / scale) + zero within bounds, the low byte of it.
  package struct Rounding {
    var scale: Float
    var zero: Int32
    let lowest: Int32
    let highest: Int32

    package init(scale: Float, zero: Int32, lowest: Int32, highest: Int32) {
      self.scale = scale
      self.zero = zero
      self.lowest = lowest
      self.highest = highest
    }
  }

  @unsafe package enum Result {
    case integers(UnsafeMutablePointer<Int32>)
    /// Beside the floats, on request, the least and the largest of them and 0, where the activation is the identity or a
    /// rectifier. NaN does not count.
    case floats(UnsafeMutablePointer<Float>, Scaling, range: UnsafeMutablePointer<Float>? = nil)
    case codes(UnsafeMutablePointer<UInt8>, Scaling, Rounding)
  }

  let rows: Int
  let left: Left
  /// Zero points of the left side as it counts here, one or one for each row.
  let zeros: UnsafePointer<Int32>
  let zeroStride: Int
  let weights: PackedByteMatrix
  /// Added to the sums of each column; whole vectors of 16.
  let offsets: UnsafePointer<Int32>?
  let result: Result

  package init(
    rows: Int, left: Left, zeros: UnsafePointer<Int32>, zeroStride: Int, weights: PackedByteMatrix,
    offsets: UnsafePointer<Int32>? = nil, result: Result
  ) {
    unsafe self.rows = rows
    unsafe self.left = left
    unsafe self.zeros = zeros
    unsafe self.zeroStride = zeroStride
    unsafe self.weights = weights
    unsafe self.offsets = offsets
    unsafe self.result = result
  }

  /// Bytes of scratch memory that `run` needs for up to `rows` rows.
  package static func scratchByteCount(rows: Int, weights: PackedByteMatrix) -> Int {
    unsafe ByteGemmScratch(rows: rows, weights).byteCount
  }

  package func run(_ scratch: UnsafeMutableRawPointer, _ pool: ThreadPool) {
    guard unsafe rows > 0 && weights.columns > 0 else { return }
    let layout = unsafe ByteGemmScratch(rows: rows, weights)
    if case .floats(_, _, let range?) = unsafe result { unsafe (range[0], range[1]) = (0, 0) }
    for chunk in unsafe Runs(of: rows, most: layout.chunkRows) {
      unsafe ByteGemmSection(self, layout, scratch, rows: chunk, pool).run(pool)
    }
  }
}

/// The places of what a ByteGemm writes down for a chunk of rows.
@unsafe struct ByteGemmScratch {
  /// Depth of a block of k, in groups: so much of a panel and of some rows stays in the caches together.
  static let blockGroups = 1024
  /// Bytes of carried codes where rows do not wait for each other.
  private static let codeBytesByRows = 1 << 20

  let blocks: Int
  let leftStride: Int
  /// Whether a few rows at a time may pass all of the weights.
  let isByRows: Bool
  /// Rows that are worked on at a time.
  let chunkRows: Int
  /// Columns in whole panels.
  let width: Int
  /// Offsets of the factors of the columns' sums, of the zeros for the quantiser, of the factors of the columns' zero points,
  /// of unfinished sums, of the carried codes.
  let leftTerms: Int
  let quantiserZeros: Int
  let rowTerms: Int
  let sums: Int
  let codes: Int
  /// Ranges of tiles, panel by panel.
  let ranges: Int
  let byteCount: Int

  init(rows: Int, _ weights: PackedByteMatrix) {
    let kernels = weights.kernels
    let groups = kernels.groups(weights.depth)
    // A rest of less than half a block is not worth one.
    unsafe blocks = max(1, (groups + Self.blockGroups / 2) / Self.blockGroups)
    unsafe leftStride = kernels.leftStride(weights.depth)
    unsafe isByRows = blocks == 1 && weights.byteCount <= Gemm.nearWeights
    unsafe chunkRows = isByRows ? max(kernels.chunkRows, Self.codeBytesByRows / leftStride) : kernels.chunkRows
    let chunk = unsafe min(rows, chunkRows)
    unsafe width = weights.panelCount * kernels.columns
    var end = 0
    func place(_ bytes: Int) -> Int {
      defer { end += (bytes + 63) & ~63 }
      return end
    }
    unsafe leftTerms = place(chunk * 4)
    unsafe quantiserZeros = place(chunk * 4)
    unsafe rowTerms = place(weights.zeros == nil ? 0 : chunk * 4)
    unsafe sums = place(blocks > 1 ? chunk * width * 4 : 0)
    unsafe codes = place(chunk * leftStride)
    unsafe ranges = place(Runs(of: chunk, most: kernels.rows).count * weights.panelCount * 8)
    unsafe byteCount = end
  }
}
