import NNFormat

/// Triangles and diagonals of matrices.
package enum TriangularOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Trilu", since: 14, sixteenBit: .native) { context throws(EngineError) in
      let type = try context.type(0)
      return try TriangleStep(
        outputTypes: [type], isUpper: context.int("upper", default: 1) != 0, width: StridedCopy.width(type, context),
        diagonalType: context.has(1) ? context.indexType(1) : nil)
    },
    OperatorImplementation("EyeLike", since: 9, sixteenBit: .native, make: eyeLike),
  ]

  @Sendable private static func eyeLike(_ context: NodeContext) throws(EngineError) -> any Step {
    var type = try context.type(0)
    if context.node.attribute("dtype") != nil {
      let code = context.int("dtype", default: 0)
      guard let stated = Int32(exactly: code).flatMap(ElementType.init(rawValue:)) else {
        throw context.invalid("dtype \(code) is no element type")
      }
      type = stated
    }
    let width = try StridedCopy.width(type, context)
    guard let one = try? Tensor([Float(1)], shape: []).converted(to: type) else { throw context.unsupported(type) }
    return EyeStep(one: try Constant(one).aligned(), diagonal: context.int("k", default: 0), width: width)
  }
}

/// One triangle of the matrices along the last two axes, zeros in the other.
struct TriangleStep: Step {
  let outputTypes: [ElementType]
  let isUpper: Bool
  let width: Int
  /// The type of input 1, the diagonal at which the triangle starts; `nil` for the main one.
  let diagonalType: ElementType?

  var kernel: String { "triangle" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let diagonals = diagonalType == nil ? 1 : try inputs.view(1).count
    guard shape.count >= 2, diagonals == 1 else {
      throw EngineError(.shapeMismatch, "\(Shape(shape)) is no matrix, or the diagonal is not one number")
    }
    let count = try Extents.count(shape)
    let (rows, columns) = (shape[shape.count - 2], shape[shape.count - 1])
    let (isUpper, width, diagonalType) = (isUpper, width, diagonalType)
    return Work([shape]) { (memory) throws(EngineError) in
      guard count > 0 else { return }
      let stated = diagonalType.map { memory.indices(1, $0, count: 1)[0] } ?? 0
      let diagonal = min(max(stated, -rows), columns)
      for row in 0..<count / columns {
        // The first column on or above the diagonal, and the first one above it.
        let edge = row % rows + diagonal
        let split = min(max(isUpper ? edge : edge + 1, 0), columns)
        let kept = isUpper ? split..<columns : 0..<split
        let zeros = isUpper ? 0..<split : split..<columns
        let source = unsafe memory.input(0) + row * columns * width
        let target = unsafe memory.output(0) + row * columns * width
        unsafe (target + kept.lowerBound * width).copyMemory(
          from: source + kept.lowerBound * width, byteCount: kept.count * width)
        unsafe (target + zeros.lowerBound * width).initializeMemory(
          as: UInt8.self, repeating: 0, count: zeros.count * width)
      }
    }
  }
}

/// Ones on a diagonal of a matrix of zeros that has the shape of input 0.
struct EyeStep: Step {
  let one: Constant
  let diagonal: Int
  let width: Int
  let dependsOnlyOnShapes = true
  let kernel = "eye"
  var outputTypes: [ElementType] { [one.elementType] }

  init(one: Constant, diagonal: Int, width: Int) {
    self.one = one
    self.diagonal = diagonal
    self.width = width
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    guard shape.count == 2 else { throw EngineError(.shapeMismatch, "\(Shape(shape)) is no matrix") }
    let count = try Extents.count(shape)
    let (rows, columns) = (shape[0], shape[1])
    let diagonal = min(max(diagonal, -rows), columns)
    let (one, width) = (one, width)
    return Work([shape]) { (memory) throws(EngineError) in
      let target = unsafe memory.output(0)
      unsafe target.initializeMemory(as: UInt8.self, repeating: 0, count: count * width)
      guard count > 0 else { return }
      for row in max(0, -diagonal)..<max(0, -diagonal, min(rows, columns - diagonal)) {
        unsafe (target + (row * columns + row + diagonal) * width).copyMemory(from: one.base, byteCount: width)
      }
    }
  }
}
