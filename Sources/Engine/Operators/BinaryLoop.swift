import NNFormat

/// The loops of elementwise steps over two broadcast operands. The only place where their addresses are used.
@safe package struct BinaryStep<In: BitwiseCopyable, Out: TensorScalar>: Step {
  package let outputTypes: [ElementType]
  package let kernel: String
  /// Computes one row: elements, and how far apart those of each operand lie (0 or 1 for dense operands).
  private let row: @Sendable (Int, UnsafePointer<In>, Int, UnsafePointer<In>, Int, UnsafeMutablePointer<Out>) -> Void
  private let keepsSize: Bool

  /// - Parameter function: the operation; it is inlined into loops over rows.
  @inline(__always)
  package init(
    _ kernel: String, _: In.Type, _: Out.Type, _ function: @escaping @Sendable (In, In) -> Out
  ) {
    self.kernel = kernel
    outputTypes = [Out.elementType]
    keepsSize = MemoryLayout<In>.size == MemoryLayout<Out>.size
    unsafe row = { count, x, xStride, y, yStride, z in
      if xStride == 1 && yStride == 1 {
        for index in 0..<count { unsafe z[index] = function(x[index], y[index]) }
      } else if xStride == 1 && yStride == 0 {
        let value = unsafe y[0]
        for index in 0..<count { unsafe z[index] = function(x[index], value) }
      } else if xStride == 0 && yStride == 1 {
        let value = unsafe x[0]
        for index in 0..<count { unsafe z[index] = function(value, y[index]) }
      } else {
        for index in 0..<count { unsafe z[index] = function(x[index &* xStride], y[index &* yStride]) }
      }
    }
  }

  package func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let (x, y) = (try inputs.shape(0), try inputs.shape(1))
    let shape = try Extents.broadcast([x, y])
    let count = try Extents.count(shape)
    let nest = LoopNest(
      shape,
      strides: [Extents.strides(of: x, in: shape), Extents.strides(of: y, in: shape), Extents.strides(shape)])
    let row = unsafe row
    let inPlace = keepsSize ? [(0, x), (1, y)].filter { $0.1 == shape }.map(\.0) : []
    return Work([shape], inPlaceInputs: inPlace, cost: .elements(count)) { (memory) throws(EngineError) in
      let x = unsafe memory.input(0).assumingMemoryBound(to: In.self)
      let y = unsafe memory.input(1).assumingMemoryBound(to: In.self)
      let z = unsafe memory.output(0).assumingMemoryBound(to: Out.self)
      for index in 0..<nest.rows {
        unsafe row(
          nest.rowLength, x + nest.offset(of: index, in: 0), nest.rowStrides[0], y + nest.offset(of: index, in: 1),
          nest.rowStrides[1], z + nest.offset(of: index, in: 2))
      }
    }
  }
}
