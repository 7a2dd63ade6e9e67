import NNFormat

/// How the scales of a tensor lie over its elements: one for all, one for each index of an axis, or one for each block of
/// neighbours along an axis.
///
/// The elements are seen as lines of neighbours; along a line the scale stays the same or moves by one with each element.
struct ScaleLayout: Sendable {
  struct Line {
    /// The first element and how many there are.
    let start: Int
    let count: Int
    /// The scale of the first element, and how far the next element's is: 0 or 1.
    let scale: Int
    let scaleStride: Int
  }

  private enum Form: Sendable {
    case single(count: Int)
    case axis(extent: Int, inner: Int)
    case lastAxis(extent: Int)
    case blocks(extent: Int, inner: Int, scaleExtent: Int, block: Int)
    case lastAxisBlocks(extent: Int, scaleExtent: Int, block: Int)
  }

  /// Elements of a line where all have one scale.
  private static let segment = 4096

  let lines: Int
  private let form: Form

  /// - Parameters:
  ///   - axis: counted from either end; of no meaning where there is one scale.
  ///   - blockSize: elements along the axis that share a scale; 0 without blocks.
  /// - Throws: `EngineError` of kind `shapeMismatch` when the scales do not fit the data.
  init(data: [Int], scale: [Int], axis: Int, blockSize: Int) throws(EngineError) {
    let count = try Extents.count(data)
    guard blockSize >= 0 else { throw EngineError(.invalidGraph, "block_size \(blockSize) is negative") }
    func misfit() -> EngineError {
      EngineError(.shapeMismatch, "scales of shape \(Shape(scale)) do not fit data of shape \(Shape(data))")
    }
    if blockSize > 0 {
      let axis = try Extents.axis(axis, rank: data.count)
      let extent = data[axis]
      guard scale.count == data.count, scale[axis] == (extent == 0 ? 0 : (extent - 1) / blockSize + 1),
        data.indices.allSatisfy({ $0 == axis || data[$0] == scale[$0] })
      else { throw misfit() }
      let inner = try Extents.count(Array(data.dropFirst(axis + 1)))
      let outer = try Extents.count(Array(data.prefix(axis)))
      if inner == 1 {
        form = .lastAxisBlocks(extent: extent, scaleExtent: scale[axis], block: blockSize)
        lines = outer * scale[axis]
      } else {
        form = .blocks(extent: extent, inner: inner, scaleExtent: scale[axis], block: blockSize)
        lines = count == 0 ? 0 : outer * extent
      }
      return
    }
    guard try Extents.count(scale) != 1 else {
      form = .single(count: count)
      lines = (count + Self.segment - 1) / Self.segment
      return
    }
    guard scale.count == 1 else { throw misfit() }
    let axis = try Extents.axis(axis, rank: data.count)
    guard data[axis] == scale[0] else { throw misfit() }
    let inner = try Extents.count(Array(data.dropFirst(axis + 1)))
    let outer = try Extents.count(Array(data.prefix(axis)))
    form = inner == 1 ? .lastAxis(extent: scale[0]) : .axis(extent: scale[0], inner: inner)
    lines = count == 0 ? 0 : inner == 1 ? outer : outer * scale[0]
  }

  @inline(__always)
  func line(_ index: Int) -> Line {
    switch form {
    case .single(let count):
      let start = index * Self.segment
      return Line(start: start, count: min(Self.segment, count - start), scale: 0, scaleStride: 0)
    case .axis(let extent, let inner):
      return Line(start: index * inner, count: inner, scale: index % extent, scaleStride: 0)
    case .lastAxis(let extent):
      return Line(start: index * extent, count: extent, scale: 0, scaleStride: 1)
    case .blocks(let extent, let inner, let scaleExtent, let block):
      let (outer, position) = index.quotientAndRemainder(dividingBy: extent)
      let scale = (outer * scaleExtent + position / block) * inner
      return Line(start: index * inner, count: inner, scale: scale, scaleStride: 1)
    case .lastAxisBlocks(let extent, let scaleExtent, let block):
      let (outer, position) = index.quotientAndRemainder(dividingBy: scaleExtent)
      let count = min(block, extent - position * block)
      return Line(start: outer * extent + position * block, count: count, scale: index, scaleStride: 0)
    }
  }

  /// Calls `body` with every line, on several threads where it pays.
  func forEachLine(_ elements: Int, _ pool: ThreadPool, _ body: (Line) -> Void) {
    let tasks = max(1, WorkEstimate(nanoseconds: Double(elements)).taskCount(most: lines, pool))
    pool.parallelFor(tasks: tasks) { task in
      for index in lines * task / tasks..<lines * (task + 1) / tasks { body(line(index)) }
    }
  }
}
