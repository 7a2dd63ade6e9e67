/// The two passes over a tensor that quantising takes: the range of each group, then the codes.
struct WeightEncoder {
  static let notFinite = FormatError(.mismatch, "it holds NaN or infinite numbers")

  private let coding: WeightCoding
  private let lines: ScaledLines
  private let pages: MappedPages?
  /// The range of each group, zero included.
  private var lowest: [Float]
  private var highest: [Float]
  /// What is stored of each group's step, the step, and the code of zero.
  private(set) var stored: [Float] = []
  private var steps: [Float] = []
  private(set) var zeros: [Float] = []
  private(set) var error = ErrorSums()

  init(_ coding: WeightCoding, shape: [Int], pages: MappedPages?) {
    self.coding = coding
    self.pages = pages
    lines = ScaledLines(shape, coding.grouping)
    lowest = [Float](repeating: 0, count: lines.groupCount)
    highest = lowest
  }

  /// Finds the range of each group.
  mutating func measure(_ bytes: UnsafeRawBufferPointer) {
    let (lines, pages) = (lines, pages)
    var (lows, highs) = (lowest, highest)
    unsafe lows.withUnsafeMutableBufferPointer { lowest in
      unsafe highs.withUnsafeMutableBufferPointer { highest in
        for line in 0..<lines.count {
          lines.forEachRun(of: line) { run in
            let first = run.element * MemoryLayout<Float>.stride
            for index in 0..<run.count {
              let place = run.group &+ index &* run.stride
              let value = unsafe bytes.loadUnaligned(
                fromByteOffset: first &+ index &* MemoryLayout<Float>.stride, as: Float.self)
              unsafe lowest[place] = value < lowest[place] ? value : lowest[place]
              unsafe highest[place] = value > highest[place] ? value : highest[place]
            }
          }
          pages?.giveBack(readTo: (line + 1) * lines.length * 4)
        }
      }
    }
    pages?.rewind()
    (lowest, highest) = (lows, highs)
  }

  /// Works out the step and the code of zero of each group.
  mutating func chooseParameters() throws(FormatError) {
    for group in lowest.indices {
      guard lowest[group].isFinite, highest[group].isFinite else { throw Self.notFinite }
      let (stored, step, zero) = coding.parameters(lowest: lowest[group], highest: highest[group])
      self.stored.append(stored)
      steps.append(step)
      zeros.append(Float(zero))
    }
  }

  /// Rounds every element.
  mutating func encode(_ bytes: UnsafeRawBufferPointer) throws(FormatError) -> AlignedBytes {
    let isShared = coding.bits == 4 && coding.isPacked
    let total = lines.count * lines.length
    let coder = LineCoder(coding, stored: stored, steps: steps, zeros: zeros)
    let (lines, pages) = (lines, pages)
    var sums = ErrorSums()
    var line8 = [UInt8](repeating: 0, count: lines.length)
    let result = try unsafe AlignedBytes(count: isShared ? (total + 1) / 2 : total) { target in
      for line in 0..<lines.count {
        let start = line * lines.length
        if isShared {
          unsafe line8.withUnsafeMutableBytes { buffer in
            lines.forEachRun(of: line) { run in
              let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[(run.element - start)...])
              unsafe coder.encode(bytes, run, into: part, &sums)
            }
            unsafe Self.pack(buffer, into: target, at: start)
          }
        } else {
          lines.forEachRun(of: line) { run in
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: target[run.element...])
            unsafe coder.encode(bytes, run, into: part, &sums)
          }
        }
        pages?.giveBack(readTo: (start + lines.length) * 4)
      }
    }
    error = sums
    return result
  }

  /// Adds the 4-bit codes of a line to bytes that hold zeros in their place.
  private static func pack(
    _ codes: UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer, at start: Int
  ) {
    var index = 0
    if start % 2 == 1 {
      unsafe target[start / 2] |= codes[0] << 4
      index = 1
    }
    var place = (start + index) / 2
    while index + 1 < codes.count {
      unsafe target[place] = codes[index] & 15 | codes[index &+ 1] << 4
      index &+= 2
      place &+= 1
    }
    if index < codes.count { unsafe target[place] = codes[index] & 15 }
  }
}

/// The lines of a tensor along its last axis, in runs that know their groups.
struct ScaledLines {
  /// Elements of a line whose groups are `group`, `group + stride`, `group + 2 · stride` ...
  struct Run {
    let element: Int
    let count: Int
    let group: Int
    let stride: Int
  }

  let count: Int
  let length: Int
  let groupCount: Int
  private let grouping: ScaleGrouping
  /// Lines that share an index along the axis, and the extent of that axis.
  private let inner: Int
  private let extent: Int
  private let isAlongLines: Bool

  init(_ shape: [Int], _ grouping: ScaleGrouping) {
    length = shape.last ?? 1
    count = shape.dropLast().reduce(1, *)
    self.grouping = grouping
    groupCount = grouping.scaleShape(shape).reduce(1, *)
    switch grouping {
    case .tensor: (inner, extent, isAlongLines) = (1, 1, false)
    case .axis(let axis), .blocks(let axis, _):
      isAlongLines = axis == shape.count - 1
      extent = shape[axis]
      inner = isAlongLines ? 1 : shape[(axis + 1)..<(shape.count - 1)].reduce(1, *)
    }
  }

  @inline(__always)
  func forEachRun(of line: Int, _ body: (Run) -> Void) {
    let start = line * length
    switch grouping {
    case .tensor: body(Run(element: start, count: length, group: 0, stride: 0))
    case .axis where isAlongLines: body(Run(element: start, count: length, group: 0, stride: 1))
    case .axis: body(Run(element: start, count: length, group: line / inner % extent, stride: 0))
    case .blocks(_, let size) where isAlongLines:
      let blocks = (length + size - 1) / size
      for block in 0..<blocks {
        let first = block * size
        body(
          Run(element: start + first, count: min(size, length - first), group: line * blocks + block, stride: 0))
      }
    case .blocks(_, let size):
      let (outer, place) = (line / (inner * extent), line / inner % extent)
      let row = (outer * ((extent + size - 1) / size) + place / size) * inner + line % inner
      body(Run(element: start, count: length, group: row * length, stride: 1))
    }
  }
}

/// Rounds runs of elements.
struct LineCoder {
  private let inverses: [Float]
  private let steps: [Float]
  private let zeros: [Float]
  private let lowest: Float
  private let highest: Float

  init(_ coding: WeightCoding, stored: [Float], steps: [Float], zeros: [Float]) {
    inverses = coding.rule == .reciprocal ? stored : steps.map { 1 / $0 }
    self.steps = steps
    self.zeros = zeros
    lowest = Float(coding.codes.lowest)
    highest = Float(coding.codes.highest)
  }

  /// Writes one code a byte.
  func encode(
    _ bytes: UnsafeRawBufferPointer, _ run: ScaledLines.Run, into target: UnsafeMutableRawBufferPointer,
    _ sums: inout ErrorSums
  ) {
    // The sum of this and a small number is rounded to a whole number, ties to even, and shows it in its lowest bits.
    let shift: Float = 12_582_912
    let first = run.element * MemoryLayout<Float>.stride
    var (signal, noise, cross, largest, saturated) = (0.0, 0.0, 0.0, Float(0), 0)
    unsafe inverses.withUnsafeBufferPointer { inverses in
      unsafe steps.withUnsafeBufferPointer { steps in
        unsafe zeros.withUnsafeBufferPointer { zeros in
          for index in 0..<run.count {
            let place = run.group &+ index &* run.stride
            let value = unsafe bytes.loadUnaligned(
              fromByteOffset: first &+ index &* MemoryLayout<Float>.stride, as: Float.self)
            let zero = unsafe zeros[place]
            let (low, high) = (lowest - zero, highest - zero)
            let scaled = unsafe value * inverses[place]
            var bounded = scaled < low ? low : scaled
            bounded = bounded > high ? high : bounded
            let shifted = bounded + shift
            unsafe target[index] = UInt8(truncatingIfNeeded: shifted.bitPattern &+ (zero + shift).bitPattern)
            let difference = unsafe value - (shifted - shift) * steps[place]
            let (exact, error) = (Double(value), Double(difference))
            signal += exact * exact
            noise += error * error
            cross += exact * error
            largest = difference.magnitude > largest ? difference.magnitude : largest
            saturated &+= scaled > high + 0.5 || scaled < low - 0.5 ? 1 : 0
          }
        }
      }
    }
    sums.count += run.count
    sums.signal += signal
    sums.noise += noise
    sums.cross += cross
    sums.largest = max(sums.largest, Double(largest))
    sums.saturated += saturated
  }
}

/// The pages of a mapped tensor that is read from its start to its end.
package final class MappedPages {
  private let file: MappedFile
  private let range: Range<Int>
  private var done = 0
  private static let piece = 8 << 20

  /// - Returns: `nil` when the tensor is in memory.
  package init?(of tensor: Tensor) {
    guard case .mapped(let file, let range) = tensor.storage else { return nil }
    self.file = file
    self.range = range
  }

  /// Gives back what has been read, once that is much.
  package func giveBack(readTo end: Int) {
    guard end - done >= Self.piece || end == range.count else { return }
    file.giveBack(range.lowerBound + done..<range.lowerBound + end)
    done = end
  }

  func rewind() { done = 0 }
}
