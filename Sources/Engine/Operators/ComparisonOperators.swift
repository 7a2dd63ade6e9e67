import NNFormat

/// Comparisons, logic and selection.
package enum ComparisonOperators {
  package static let rows: [OperatorImplementation] = [
    comparison("Less", .less), comparison("LessOrEqual", .lessOrEqual), comparison("Greater", .greater),
    comparison("GreaterOrEqual", .greaterOrEqual), comparison("Equal", .equal),
    logic("And") { $0 & $1 }, logic("Or") { $0 | $1 }, logic("Xor") { $0 ^ $1 },
    OperatorImplementation("Not") { context throws(EngineError) in
      guard try context.type(0) == .bool else { throw context.unsupported(try context.type(0)) }
      return LogicStep.not
    },
    OperatorImplementation("Where", sixteenBit: .native, make: select),
  ]

  private static func comparison(_ name: String, _ relation: Relation) -> OperatorImplementation {
    OperatorImplementation(name) { context throws(EngineError) in
      let type = try context.commonType(0..<2)
      if type == .bool, relation == .equal { return LegacyBroadcastStep.adapting(LogicStep.equal, context) }
      if type == .string, relation == .equal { return LogicStep.equalStrings }
      let step = try ScalarTypes.numeric(type, ComparisonMaker(relation: relation), context)
      return LegacyBroadcastStep.adapting(step, context)
    }
  }

  /// Booleans are handled as bytes, of which any but 0 is true.
  private static func logic(
    _ name: String, _ function: @escaping @Sendable (UInt8, UInt8) -> UInt8
  ) -> OperatorImplementation {
    OperatorImplementation(name) { context throws(EngineError) in
      let type = try context.commonType(0..<2)
      guard type == .bool else { throw context.unsupported(type) }
      return LegacyBroadcastStep.adapting(
        LogicStep.from(
          BinaryStep(name.lowercased(), UInt8.self, UInt8.self) { function($0 == 0 ? 0 : 1, $1 == 0 ? 0 : 1) }),
        context)
    }
  }

  @Sendable private static func select(_ context: NodeContext) throws(EngineError) -> any Step {
    let condition = try context.type(0)
    guard condition == .bool else { throw context.unsupported(condition) }
    let type = try context.commonType(1..<3)
    switch type.carriedWidth {
    case 1: return SelectStep<UInt8>(type)
    case 2: return SelectStep<UInt16>(type)
    case 4: return SelectStep<UInt32>(type)
    case 8: return SelectStep<UInt64>(type)
    default: return SelectStep<UInt128>(type)
    }
  }
}

/// An ordering relation.
enum Relation: Sendable { case less, lessOrEqual, greater, greaterOrEqual, equal }

private struct ComparisonMaker: ArithmeticOperators.StepMaker {
  let relation: Relation

  func visit<T: FixedWidthInteger & TensorScalar>(_ type: T.Type) -> any Step { make(type) }
  func visit<T: RealScalar>(_ type: T.Type) -> any Step { make(type) }

  private func make<T: Comparable & TensorScalar>(_: T.Type) -> any Step {
    switch relation {
    case .less: LogicStep.from(BinaryStep("less", T.self, UInt8.self) { $0 < $1 ? 1 : 0 })
    case .lessOrEqual: LogicStep.from(BinaryStep("lessOrEqual", T.self, UInt8.self) { $0 <= $1 ? 1 : 0 })
    case .greater: LogicStep.from(BinaryStep("greater", T.self, UInt8.self) { $0 > $1 ? 1 : 0 })
    case .greaterOrEqual: LogicStep.from(BinaryStep("greaterOrEqual", T.self, UInt8.self) { $0 >= $1 ? 1 : 0 })
    case .equal: LogicStep.from(BinaryStep("equal", T.self, UInt8.self) { $0 == $1 ? 1 : 0 })
    }
  }
}

/// Steps that compute bytes of 0 and 1, declared as booleans.
enum LogicStep {
  static func from(_ bytes: any Step) -> any Step { RetypedStep([.bool], bytes) }

  static let not = from(UnaryStep("not", UInt8.self, UInt8.self) { $0 == 0 ? 1 : 0 })
  static let equalStrings = from(BinaryStep("equal", StringElement.self, UInt8.self) { $0 == $1 ? 1 : 0 })
  static let equal = from(BinaryStep("equal", UInt8.self, UInt8.self) { ($0 == 0) == ($1 == 0) ? 1 : 0 })
}

/// One of two broadcast operands, chosen element by element; `Bits` is any type of the element's width.
private struct SelectStep<Bits: BitwiseCopyable>: Step {
  let outputTypes: [ElementType]
  let kernel = "select"

  init(_ type: ElementType) { outputTypes = [type] }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shapes = [try inputs.shape(0), try inputs.shape(1), try inputs.shape(2)]
    let shape = try Extents.broadcast(shapes)
    let count = try Extents.count(shape)
    let counts = shapes.map { $0.reduce(1, *) }
    let nest = LoopNest(
      shape, strides: shapes.map { Extents.strides(of: $0, in: shape) } + [Extents.strides(shape)])
    return Work([shape]) { (memory) throws(EngineError) in
      let condition = memory.input(0, UInt8.self, count: counts[0])
      let chosen = memory.input(1, Bits.self, count: counts[1])
      let otherwise = memory.input(2, Bits.self, count: counts[2])
      let result = memory.output(0, Bits.self, count: count)
      for row in 0..<nest.rows {
        let (c, x) = (nest.offset(of: row, in: 0), nest.offset(of: row, in: 1))
        let (y, z) = (nest.offset(of: row, in: 2), nest.offset(of: row, in: 3))
        for index in 0..<nest.rowLength {
          result[z + index] =
            condition[c + index * nest.rowStrides[0]] != 0
            ? chosen[x + index * nest.rowStrides[1]] : otherwise[y + index * nest.rowStrides[2]]
        }
      }
    }
  }
}
