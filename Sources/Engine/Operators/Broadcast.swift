import NNFormat

/// Row-major shapes, strides and the broadcasting rule of ONNX.
package enum Extents {
  /// The number of elements; throws where the product overflows.
  package static func count(_ shape: [Int]) throws(EngineError) -> Int {
    guard let count = checkedProduct(shape) else {
      throw EngineError(.shapeMismatch, "a value of shape \(shape) is too large")
    }
    return count
  }

  /// The rows of a left operand whose last axis is the depth of a [depth x columns] matrix.
  package static func rows(of shape: [Int], depth: Int, columns: Int) throws(EngineError) -> Int {
    guard let last = shape.last, last == depth else {
      throw EngineError(.shapeMismatch, "\(Shape(shape)) times \(Shape([depth, columns])): the inner extents differ")
    }
    let rows = try count(Array(shape.dropLast()))
    _ = try count([rows, columns])
    return rows
  }

  /// Strides of a dense row-major array in elements.
  package static func strides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] &* max(shape[axis + 1], 1) }
    return strides
  }

  /// The common shape of operands, aligned at the last axis; extents of 1 stretch.
  package static func broadcast(_ shapes: [[Int]]) throws(EngineError) -> [Int] {
    var result = [Int](repeating: 1, count: shapes.reduce(0) { max($0, $1.count) })
    for shape in shapes {
      let shift = result.count - shape.count
      for (axis, extent) in shape.enumerated() where extent != 1 {
        let current = result[axis + shift]
        guard current == 1 || current == extent else {
          let list = shapes.map { Shape($0).description }.joined(separator: " and ")
          throw EngineError(.shapeMismatch, "shapes \(list) do not broadcast")
        }
        result[axis + shift] = extent
      }
    }
    return result
  }

  /// Strides that walk a dense operand as if it had the broadcast shape.
  package static func strides(of shape: [Int], in target: [Int]) -> [Int] {
    let own = strides(shape)
    let shift = target.count - shape.count
    return target.indices.map { axis in
      axis < shift || shape[axis - shift] == 1 ? 0 : own[axis - shift]
    }
  }

  /// An axis counted from the front.
  package static func axis(_ axis: Int, rank: Int) throws(EngineError) -> Int {
    let result = axis < 0 ? axis &+ rank : axis
    guard result >= 0, result < rank else {
      throw EngineError(.shapeMismatch, "axis \(axis) is outside of a value of rank \(rank)")
    }
    return result
  }

  /// Distinct axes counted from the front.
  package static func axes(_ axes: [Int], rank: Int) throws(EngineError) -> [Int] {
    var result: [Int] = []
    for item in axes { result.append(try axis(item, rank: rank)) }
    guard Set(result).count == result.count else {
      throw EngineError(.shapeMismatch, "the axes \(axes) are not distinct")
    }
    return result
  }
}

/// A walk over an index space by several operands at once, with neighbouring axes merged where all operands allow it.
///
/// The innermost axis is a row; a caller loops over rows and asks for the offsets at which they start.
package struct LoopNest: Sendable {
  /// Extents and strides of the axes outside of the row, outermost first.
  private var extents: [Int]
  private var strides: [[Int]]
  /// Elements in a row, and how far apart they lie in each operand.
  package let rowLength: Int
  package let rowStrides: [Int]
  /// The number of rows.
  package let rows: Int

  /// - Parameters:
  ///   - shape: the extents walked over; their product is known not to overflow.
  ///   - strides: for each operand, elements between neighbours along each axis.
  package init(_ shape: [Int], strides operands: [[Int]]) {
    var extents: [Int] = []
    var merged = [[Int]](repeating: [], count: operands.count)
    for axis in shape.indices where shape[axis] != 1 {
      let joins =
        !extents.isEmpty
        && operands.indices.allSatisfy { operand in
          merged[operand][extents.count - 1] == operands[operand][axis] &* shape[axis]
        }
      if joins {
        extents[extents.count - 1] &*= shape[axis]
        for operand in operands.indices { merged[operand][extents.count - 1] = operands[operand][axis] }
      } else {
        extents.append(shape[axis])
        for operand in operands.indices { merged[operand].append(operands[operand][axis]) }
      }
    }
    rowLength = extents.popLast() ?? 1
    rowStrides = merged.map { $0.last ?? 1 }
    rows = rowLength == 0 ? 0 : extents.reduce(1, *)
    self.extents = extents
    self.strides = merged.map { Array($0.dropLast()) }
  }

  /// Rows that follow each other at one distance, and that distance in each operand; `rows` is a multiple of it.
  package var blockRows: Int { extents.last ?? 1 }
  package var blockStrides: [Int] { strides.map { $0.last ?? 0 } }

  /// Calls `body` with the offsets of every element in the first three operands, in order.
  package func forEachTriple(_ body: (Int, Int, Int) -> Void) {
    for row in 0..<rows {
      let starts = (offset(of: row, in: 0), offset(of: row, in: 1), offset(of: row, in: 2))
      for index in 0..<rowLength {
        body(
          starts.0 + index * rowStrides[0], starts.1 + index * rowStrides[1], starts.2 + index * rowStrides[2])
      }
    }
  }

  /// Where a row starts in an operand.
  @inline(__always)
  package func offset(of row: Int, in operand: Int) -> Int {
    var rest = row
    var offset = 0
    var axis = extents.count - 1
    while axis > 0 {
      let (quotient, index) = rest.quotientAndRemainder(dividingBy: extents[axis])
      offset &+= index &* strides[operand][axis]
      rest = quotient
      axis -= 1
    }
    return axis == 0 ? offset &+ rest &* strides[operand][0] : offset
  }
}
