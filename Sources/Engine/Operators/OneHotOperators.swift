import NNFormat

/// Rows of zeros with a one where an index says.
package enum OneHotOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("OneHot", since: 9, sixteenBit: .native) { context throws(EngineError) in
      let type = try context.type(2)
      let indexType = try context.type(0)
      guard NumberReader.reads(indexType) else { throw context.unsupported(indexType) }
      return try ScalarTypes.bits(
        StridedCopy.width(type, context),
        OneHotMaker(type: type, indexType: indexType, axis: context.int("axis", default: -1)))
    }
  ]
}

private struct OneHotMaker: BitsVisitor {
  let type: ElementType
  let indexType: ElementType
  let axis: Int

  func visit<Bits: BitwiseCopyable & Sendable>(_: Bits.Type) -> any Step {
    OneHotStep<Bits>(outputTypes: [type], indexType: indexType, axis: axis)
  }
}

/// For each index a row along a new axis: the second of input 2's values where the index points, the first elsewhere.
///
/// Indices below zero count from the end; a row whose index points outside has no second value.
struct OneHotStep<Bits: BitwiseCopyable & Sendable>: Step {
  let outputTypes: [ElementType]
  let indexType: ElementType
  let axis: Int

  var contentInputs: [Int] { [1] }
  var kernel: String { "oneHot" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let indices = try inputs.shape(0)
    let axis = try Extents.axis(axis, rank: indices.count + 1)
    let depth = try inputs.number(1)
    guard depth >= 0, try inputs.view(2).count == 2 else {
      throw EngineError(.shapeMismatch, "a depth of \(depth) with \(try inputs.view(2).count) values, 2 are needed")
    }
    var result = indices
    result.insert(depth, at: axis)
    let count = try Extents.count(result)
    let indexCount = try Extents.count(indices)
    let inner = Extents.product(indices.dropFirst(axis))
    let indexType = indexType
    return Work([result]) { (memory) throws(EngineError) in
      let values = memory.input(2, Bits.self, count: 2)
      let target = memory.output(0, Bits.self, count: count)
      for index in 0..<count { target[index] = values[0] }
      guard count > 0 else { return }
      for index in 0..<indexCount {
        guard let given = unsafe NumberReader.integer(memory.input(0), at: index, indexType) else { continue }
        let place = given < 0 ? given &+ depth : given
        guard place >= 0, place < depth else { continue }
        let (block, column) = index.quotientAndRemainder(dividingBy: inner)
        target[(block * depth + place) * inner + column] = values[1]
      }
    }
  }
}

/// Whole numbers out of elements of any real type.
enum NumberReader {
  static func reads(_ type: ElementType) -> Bool {
    switch type {
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float16, .bfloat16, .float32, .float64: true
    default: false
    }
  }

  /// An element without its fraction; `nil` for one that does not fit, NaN, and other types.
  static func integer(_ base: UnsafeRawPointer, at index: Int, _ type: ElementType) -> Int? {
    func whole<T: BinaryInteger>(_: T.Type) -> Int? {
      unsafe Int(exactly: base.loadUnaligned(fromByteOffset: index * MemoryLayout<T>.stride, as: T.self))
    }
    func real<T: BinaryFloatingPoint>(_ value: T) -> Int? { Int(exactly: value.rounded(.towardZero)) }
    func bits() -> UInt16 { unsafe base.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self) }
    return switch type {
    case .int8: whole(Int8.self)
    case .int16: whole(Int16.self)
    case .int32: whole(Int32.self)
    case .int64: whole(Int64.self)
    case .uint8: whole(UInt8.self)
    case .uint16: whole(UInt16.self)
    case .uint32: whole(UInt32.self)
    case .uint64: whole(UInt64.self)
    case .float16: real(Float16(bitPattern: bits()))
    case .bfloat16: real(Float(bitPattern: UInt32(bits()) << 16))
    case .float32: unsafe real(base.loadUnaligned(fromByteOffset: index * 4, as: Float.self))
    case .float64: unsafe real(base.loadUnaligned(fromByteOffset: index * 8, as: Double.self))
    default: nil
    }
  }
}

extension StepInputs {
  /// The one element, of any real type, of an input that the step named in `contentInputs`.
  func number(_ index: Int) throws(EngineError) -> Int {
    let view = try view(index)
    guard view.count == 1 else {
      throw EngineError(.shapeMismatch, "input \(index) has \(view.count) elements, 1 is needed")
    }
    guard let contents = unsafe view.contents else {
      throw EngineError(.invalidGraph, "the elements of input \(index) are not known")
    }
    guard let number = unsafe NumberReader.integer(contents, at: 0, view.elementType) else {
      throw EngineError(.invalidInput, "input \(index) is no number that can be used")
    }
    return number
  }
}
