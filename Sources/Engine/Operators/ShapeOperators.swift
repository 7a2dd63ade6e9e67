import NNFormat

/// Operators that keep the elements and change the shape, or ask for it.
package enum ShapeOperators {
  package static let rows: [OperatorImplementation] = [
    native("Identity") { context throws(EngineError) in
      AliasStep(try context.type(0)) { inputs throws(EngineError) in try inputs.shape(0) }
    },
    native("Flatten", make: flatten),
    native("Reshape", make: reshape),
    native("Squeeze", make: squeeze),
    native("Unsqueeze", make: unsqueeze),
    native("Shape") { context throws(EngineError) in
      ShapeStep(
        start: context.int("start", default: 0),
        end: context.node.attribute("end").map { _ in context.int("end", default: 0) })
    },
    native("Size") { _ throws(EngineError) in SizeStep() },
  ]

  private static func native(_ name: String, make: @escaping OperatorImplementation.Maker) -> OperatorImplementation {
    OperatorImplementation(name, sixteenBit: .native, make: make)
  }

  @Sendable private static func flatten(_ context: NodeContext) throws(EngineError) -> any Step {
    let axis = context.int("axis", default: 1)
    return AliasStep(try context.type(0)) { inputs throws(EngineError) in
      let shape = try inputs.shape(0)
      let split = axis < 0 ? axis &+ shape.count : axis
      guard split >= 0, split <= shape.count else {
        throw EngineError(.shapeMismatch, "axis \(axis) is outside of a value of rank \(shape.count)")
      }
      return [try Extents.count(Array(shape.prefix(split))), try Extents.count(Array(shape.dropFirst(split)))]
    }
  }

  @Sendable private static func reshape(_ context: NodeContext) throws(EngineError) -> any Step {
    let allowsZero = context.int("allowzero", default: 0) != 0
    let attribute = context.version < 5 ? context.node.ints("shape") ?? [] : nil
    return AliasStep(try context.type(0), contentInputs: attribute == nil ? [1] : []) { inputs throws(EngineError) in
      let wanted = if let attribute { attribute } else { try inputs.ints(1) }
      return try reshaped(try inputs.shape(0), to: wanted, allowsZero: allowsZero)
    }
  }

  /// A shape in which 0 copies an extent and one -1 takes what is left.
  private static func reshaped(_ shape: [Int], to wanted: [Int], allowsZero: Bool) throws(EngineError) -> [Int] {
    let failure = EngineError(.shapeMismatch, "\(Shape(shape)) cannot become \(wanted)")
    let count = try Extents.count(shape)
    var result: [Int] = []
    var open: Int?
    for (axis, extent) in wanted.enumerated() {
      switch extent {
      case 0 where !allowsZero:
        guard axis < shape.count else { throw failure }
        result.append(shape[axis])
      case -1:
        guard open == nil else { throw failure }
        open = axis
        result.append(1)
      case 0...: result.append(extent)
      default: throw failure
      }
    }
    guard let rest = checkedProduct(result) else { throw failure }
    if let open {
      guard rest > 0, count % rest == 0 else {
        guard rest == 0, count == 0 else { throw failure }
        result[open] = 0
        return result
      }
      result[open] = count / rest
    } else if rest != count {
      throw failure
    }
    return result
  }

  /// Axes from an attribute in older versions, from input 1 since version 13.
  private static func axes(_ context: NodeContext) -> [Int]? {
    context.version < 13 ? context.node.ints("axes") ?? [] : nil
  }

  @Sendable private static func squeeze(_ context: NodeContext) throws(EngineError) -> any Step {
    let attribute = axes(context)
    let content = attribute == nil && context.has(1) ? [1] : []
    return AliasStep(try context.type(0), contentInputs: content) { inputs throws(EngineError) in
      let shape = try inputs.shape(0)
      let given = if let attribute { attribute } else { inputs.has(1) ? try inputs.ints(1) : [] }
      if given.isEmpty { return shape.filter { $0 != 1 } }
      let axes = Set(try Extents.axes(given, rank: shape.count))
      if let axis = axes.first(where: { shape[$0] != 1 }) {
        throw EngineError(.shapeMismatch, "axis \(axis) of \(Shape(shape)) is not 1")
      }
      return shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
    }
  }

  @Sendable private static func unsqueeze(_ context: NodeContext) throws(EngineError) -> any Step {
    let attribute = axes(context)
    return AliasStep(try context.type(0), contentInputs: attribute == nil ? [1] : []) { inputs throws(EngineError) in
      let shape = try inputs.shape(0)
      let given = if let attribute { attribute } else { try inputs.ints(1) }
      let axes = Set(try Extents.axes(given, rank: shape.count + given.count))
      var rest = shape.makeIterator()
      return (0..<shape.count + given.count).map { axes.contains($0) ? 1 : rest.next() ?? 1 }
    }
  }
}

/// The extents of a value, or a slice of them.
struct ShapeStep: Step {
  let outputTypes: [ElementType] = [.int64]
  let dependsOnlyOnShapes = true
  let kernel = "shape"
  let start: Int
  let end: Int?

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    func clamped(_ axis: Int) -> Int { min(max(axis < 0 ? axis &+ shape.count : axis, 0), shape.count) }
    let (first, last) = (clamped(start), clamped(end ?? shape.count))
    let extents = first < last ? Array(shape[first..<last]) : []
    return Work([[extents.count]]) { (memory) throws(EngineError) in
      let target = memory.output(0, Int64.self, count: extents.count)
      for (index, extent) in extents.enumerated() { target[index] = Int64(extent) }
    }
  }
}

/// The number of elements of a value.
struct SizeStep: Step {
  let outputTypes: [ElementType] = [.int64]
  let dependsOnlyOnShapes = true
  let kernel = "size"

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let count = try Extents.count(inputs.shape(0))
    return Work([[]]) { (memory) throws(EngineError) in memory.output(0, Int64.self, count: 1)[0] = Int64(count) }
  }
}
