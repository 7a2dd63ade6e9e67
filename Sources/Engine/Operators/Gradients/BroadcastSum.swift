import NNFormat

/// The way back of broadcasting: values of a shape summed over the axes along which a smaller shape was repeated.
///
/// Each sum adds in the order of the elements, whatever the number of threads.
struct BroadcastSum {
  private let nest: LoopNest
  private let isCopy: Bool
  /// Rows and columns when the smaller shape is the last axes of the larger one.
  private let rowSum: (rows: Int, columns: Int)?

  init(from shape: [Int], to target: [Int]) {
    nest = LoopNest(shape, strides: [Extents.strides(shape), Extents.strides(of: target, in: shape)])
    let (count, kept) = (shape.reduce(1, *), target.reduce(1, *))
    isCopy = count == kept
    let suffix = Array(target.drop { $0 == 1 })
    let isSuffix = suffix.count <= shape.count && Array(shape.suffix(suffix.count)) == suffix
    rowSum = isSuffix && kept > 1 ? (count / kept, kept) : nil
  }

  func run(_ source: Floats, into target: Floats, _ pool: ThreadPool) {
    if isCopy { return target.copy(source) }
    if let rowSum { return Self.sumRows(source, into: target, rowSum.rows, rowSum.columns) }
    target.fill(0)
    for row in 0..<nest.rows {
      let (start, place) = (nest.offset(of: row, in: 0), nest.offset(of: row, in: 1))
      if nest.rowStrides[1] == 0 {
        var sum: Float = 0
        for index in 0..<nest.rowLength { sum += source[start + index * nest.rowStrides[0]] }
        target[place] += sum
      } else {
        for index in 0..<nest.rowLength {
          target[place + index * nest.rowStrides[1]] += source[start + index * nest.rowStrides[0]]
        }
      }
    }
  }

  private static func sumRows(_ source: Floats, into target: Floats, _ rows: Int, _ columns: Int) {
    guard rows > 0 else { return target.fill(0) }
    target.copy(source.part(0..<columns))
    for row in 1..<max(rows, 1) {
      let start = row * columns
      for column in 0..<columns { target[column] += source[start + column] }
    }
  }
}
