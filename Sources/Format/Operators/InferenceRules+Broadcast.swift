/// Rules of operators that broadcast their inputs against each other.
extension InferenceRules {
  /// All inputs broadcast to one shape, all of one type.
  static func broadcast(_ context: inout InferenceContext) throws(FormatError) {
    let type = try context.commonElementType(context.inputs.indices)
    context.setOutput(type, try context.broadcastShape(context.inputs.indices))
  }

  /// All inputs broadcast, with integer elements followed where they are known.
  static func integerArithmetic(
    _ combine: @escaping @Sendable (Dimension, Dimension) -> Dimension
  ) -> InferenceRule {
    { context throws(FormatError) in
      let type = try context.commonElementType(context.inputs.indices)
      let shape = try context.broadcastShape(context.inputs.indices)
      context.setOutput(type, shape, contents: context.combinedContents(combine))
    }
  }

  /// A comparison of two inputs of one type.
  static func comparison(
    _ combine: (@Sendable (Dimension, Dimension) -> Dimension)? = nil
  ) -> InferenceRule {
    { context throws(FormatError) in
      _ = try context.commonElementType(context.inputs.indices)
      let shape = try context.broadcastShape(context.inputs.indices)
      context.setOutput(.bool, shape, contents: combine.flatMap { context.combinedContents($0) })
    }
  }

  /// And, Or, Xor, Not.
  static func logic(_ context: inout InferenceContext) throws(FormatError) {
    for index in context.inputs.indices {
      guard let type = context.elementType(index), type != .bool else { continue }
      throw context.mismatch("input \(index) is \(type.name), not bool")
    }
    context.setOutput(.bool, try context.broadcastShape(context.inputs.indices))
  }

  /// The exponent's type is free since version 12; the base decides.
  static func pow(_ context: inout InferenceContext) throws(FormatError) {
    context.setOutput(context.elementType(0), try context.broadcastShape(context.inputs.indices))
  }

  /// The first input's shape, to which the second one must broadcast.
  static func broadcastToFirst(_ context: inout InferenceContext) throws(FormatError) {
    let type = try context.commonElementType(context.inputs.indices)
    if let target = context.shape(0) { try context.requireBroadcast(input: 1, to: target) }
    context.setOutput(type, context.shape(0))
  }

  /// Binary operators before version 7, where the first input decides.
  static func legacyBroadcast(_ context: inout InferenceContext) throws(FormatError) {
    context.setOutput(try context.commonElementType(context.inputs.indices), context.shape(0))
  }

  /// Comparisons before version 7.
  static func legacyComparison(_ context: inout InferenceContext) throws(FormatError) {
    _ = try context.commonElementType(context.inputs.indices)
    truthOfInput(&context)
  }

  /// Where: condition, value if true, value if false.
  static func select(_ context: inout InferenceContext) throws(FormatError) {
    if let type = context.elementType(0), type != .bool {
      throw context.mismatch("the condition is \(type.name), not bool")
    }
    let shape = try context.broadcastShape(0..<3)
    var contents: [Dimension]?
    if let condition = context.vector(0), let yes = context.vector(1), let no = context.vector(2) {
      let count = max(condition.count, yes.count, no.count)
      let columns = [condition, yes, no].compactMap { $0.stretched(to: count) }
      if columns.count == 3 {
        contents = (0..<count).map { row in
          let (yes, no) = (columns[1][row], columns[2][row])
          guard let choice = columns[0][row].value else { return yes == no ? yes : .unknown }
          return choice == 0 ? no : yes
        }
      }
    }
    context.setOutput(try context.commonElementType(1...2), shape, contents: contents)
  }
}

extension InferenceContext {
  /// The shape to which inputs broadcast; `nil` when the rank of one is not known.
  func broadcastShape(_ indices: some Sequence<Int>) throws(FormatError) -> Shape? {
    var result: Shape?
    for index in indices {
      guard let shape = shape(index) else { return nil }
      result = try result.map { (left) throws(FormatError) in try broadcastShape(left, shape) } ?? shape
    }
    return result
  }

  func broadcastShape(_ left: Shape, _ right: Shape) throws(FormatError) -> Shape {
    let rank = max(left.rank, right.rank)
    var dimensions: [Dimension] = []
    for axis in 0..<rank {
      let (l, r) = (left.dimension(axis, ofRank: rank), right.dimension(axis, ofRank: rank))
      guard let extent = l.broadcast(with: r) else {
        throw mismatch("shapes \(left) and \(right) cannot be broadcast together")
      }
      dimensions.append(extent)
    }
    return Shape(dimensions)
  }

  /// Checks that an input can be broadcast to a shape without changing it.
  func requireBroadcast(input index: Int, to target: Shape) throws(FormatError) {
    guard let shape = shape(index) else { return }
    let fits =
      shape.rank <= target.rank
      && (0..<target.rank).allSatisfy { axis in
        switch (shape.dimension(axis, ofRank: target.rank), target[axis]) {
        case (.known(1), _): true
        case (.known(let extent), .known(let wanted)): extent == wanted
        default: true
        }
      }
    guard fits else { throw mismatch("input \(index) of shape \(shape) cannot be broadcast to \(target)") }
  }

  /// The known elements of an integer scalar or vector.
  func vector(_ index: Int) -> [Dimension]? {
    guard let input = input(index), let rank = input.shape?.rank, rank <= 1 else { return nil }
    return input.contents
  }

  /// The elements of a calculation on integer scalars and vectors, folded from the first input to the last.
  func combinedContents(_ combine: (Dimension, Dimension) -> Dimension) -> [Dimension]? {
    guard var result = vector(0) else { return nil }
    for index in inputs.indices.dropFirst() {
      guard let next = vector(index) else { return nil }
      let count = result.isEmpty || next.isEmpty ? 0 : max(result.count, next.count)
      guard let left = result.stretched(to: count), let right = next.stretched(to: count) else { return nil }
      result = zip(left, right).map(combine)
    }
    return result
  }
}

extension [Dimension] {
  /// The vector with `count` elements: itself, or its only element repeated.
  func stretched(to count: Int) -> [Dimension]? {
    if self.count == count { return self }
    guard self.count == 1, count >= 0, let only = first else { return nil }
    return Array(repeating: only, count: count)
  }
}

extension Shape {
  /// The extent of an axis of a shape stretched to a greater rank by leading ones.
  func dimension(_ axis: Int, ofRank rank: Int) -> Dimension {
    let own = axis - (rank - self.rank)
    return dimensions.indices.contains(own) ? dimensions[own] : .known(1)
  }
}
