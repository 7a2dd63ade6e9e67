import NNFormat

/// What becomes of an element that is updated.
enum ScatterReduction: String, Sendable {
  case none, add, mul, max, min

  typealias Combine<Bits> = @Sendable (Bits, Bits) -> Bits

  /// Makes a step around the function that joins an element and its update.
  protocol StepMaker {
    func make<Bits: BitwiseCopyable & Sendable>(_ combine: @escaping Combine<Bits>) -> any Step
  }

  /// The step for the `reduction` of a node and the common type of its data and updates.
  static func step<M: StepMaker & Sendable>(
    _ context: NodeContext, _ maker: (ElementType) -> M
  ) throws(EngineError) -> any Step {
    let type = try context.type(0)
    guard try context.type(2) == type else {
      throw EngineError(
        .shapeMismatch, "updates of type \(try context.type(2).name) for data of type \(type.name)",
        node: context.node.label)
    }
    let name = context.node.text("reduction", default: "none")
    guard let reduction = ScatterReduction(rawValue: name) else {
      throw context.invalid("\"\(name)\" is no reduction")
    }
    let maker = maker(type)
    if reduction == .none {
      return ScalarTypes.bits(try StridedCopy.width(type, context), Replacing(maker: maker))
    }
    switch type {
    case .bool:
      let isUnion = reduction == .add || reduction == .max
      return maker.make { (old: UInt8, new: UInt8) in isUnion ? old | new : old & new }
    case .float16:
      return maker.make { (old: UInt16, new: UInt16) in
        reduction.joined(Float16(bitPattern: old), Float16(bitPattern: new)).bitPattern
      }
    case .bfloat16:
      return maker.make { (old: UInt16, new: UInt16) in
        reduction.joined(
          Float(bitPattern: UInt32(old) << 16), Float(bitPattern: UInt32(new) << 16)
        ).bfloat16Bits
      }
    default: return try ScalarTypes.numeric(type, Joining(reduction: reduction, maker: maker), context)
    }
  }

  /// NaN wins over every number.
  func joined<T: BinaryFloatingPoint>(_ old: T, _ new: T) -> T {
    switch self {
    case .none: new
    case .add: old + new
    case .mul: old * new
    case .max: old.isNaN || old > new ? old : new
    case .min: old.isNaN || old < new ? old : new
    }
  }

  /// Integers wrap around.
  func joined<T: FixedWidthInteger>(_ old: T, _ new: T) -> T {
    switch self {
    case .none: new
    case .add: old &+ new
    case .mul: old &* new
    case .max: Swift.max(old, new)
    case .min: Swift.min(old, new)
    }
  }

  /// Copies input 0 to output 0 and gives the elements of the copy.
  static func copied<Bits>(_ memory: StepMemory, _: Bits.Type, count: Int) -> MutableElements<Bits> {
    unsafe memory.output(0).copyMemory(from: memory.input(0), byteCount: count * MemoryLayout<Bits>.stride)
    return memory.output(0, Bits.self, count: count)
  }

  private struct Replacing<M: StepMaker>: BitsVisitor {
    let maker: M
    func visit<Bits: BitwiseCopyable & Sendable>(_: Bits.Type) -> any Step {
      maker.make { (_: Bits, new: Bits) in new }
    }
  }

  private struct Joining<M: StepMaker & Sendable>: ArithmeticOperators.StepMaker {
    let reduction: ScatterReduction
    let maker: M

    func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
      maker.make { [reduction] (old: T, new: T) in reduction.joined(old, new) }
    }
    func visit<T: RealScalar>(_: T.Type) -> any Step {
      maker.make { [reduction] (old: T, new: T) in reduction.joined(old, new) }
    }
  }
}
