import NNFormat

/// The elements of an integer input that name places along an axis.
@safe struct IndexElements {
  private let base: UnsafeRawPointer
  private let isWide: Bool
  let count: Int

  init(base: UnsafeRawPointer, type: ElementType, count: Int) {
    unsafe self.base = base
    isWide = type == .int64
    self.count = count
  }

  @inline(__always) subscript(index: Int) -> Int {
    precondition(index >= 0 && index < count, "element \(index) of \(count)")
    return isWide
      ? unsafe Int(base.load(fromByteOffset: index &* 8, as: Int64.self))
      : unsafe Int(base.load(fromByteOffset: index &* 4, as: Int32.self))
  }

  /// The place that an element names along an axis; below zero it counts from the end.
  ///
  /// - Throws: `EngineError` of kind `invalidInput` when the axis has no such place.
  @inline(__always) func place(_ index: Int, in extent: Int) throws(EngineError) -> Int {
    let given = self[index]
    let place = given < 0 ? given &+ extent : given
    guard place >= 0, place < extent else {
      throw EngineError(.invalidInput, "index \(given) is outside of an axis of \(extent)")
    }
    return place
  }
}

extension StepMemory {
  /// The elements of an index input of a type that `NodeContext.indexType` let pass.
  func indices(_ input: Int, _ type: ElementType, count: Int) -> IndexElements {
    unsafe IndexElements(base: self.input(input), type: type, count: count)
  }
}

extension NodeContext {
  /// The type of an input of indices, int32 or int64.
  func indexType(_ index: Int) throws(EngineError) -> ElementType {
    let type = try type(index)
    guard type == .int32 || type == .int64 else { throw unsupported(type) }
    return type
  }
}

extension Extents {
  /// The product of extents of a value that exists. It cannot overflow unless the value is empty, where it may wrap.
  static func product(_ extents: some Sequence<Int>, times factor: Int = 1) -> Int {
    extents.reduce(factor) { $0 &* $1 }
  }

  /// Refuses indices that reach beyond the data along an axis other than the one they choose from.
  static func requireCover(_ shape: [Int], indices: [Int], axis: Int) throws(EngineError) {
    guard indices.count == shape.count, shape.indices.allSatisfy({ $0 == axis || indices[$0] <= shape[$0] }) else {
      throw EngineError(
        .shapeMismatch, "indices of shape \(Shape(indices)) do not fit \(Shape(shape)) along axis \(axis)")
    }
  }
}

/// Makes something that moves elements of a width without looking at them.
protocol BitsVisitor {
  associatedtype Result
  func visit<Bits: BitwiseCopyable & Sendable>(_: Bits.Type) -> Result
}

extension ScalarTypes {
  /// - Parameter width: 1, 2, 4, 8 or 16 bytes, as `StridedCopy.width` gives it.
  static func bits<V: BitsVisitor>(_ width: Int, _ visitor: V) -> V.Result {
    switch width {
    case 1: visitor.visit(UInt8.self)
    case 2: visitor.visit(UInt16.self)
    case 4: visitor.visit(UInt32.self)
    case 8: visitor.visit(UInt64.self)
    default: visitor.visit(UInt128.self)
    }
  }
}
