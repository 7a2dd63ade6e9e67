/// How many elements of an integer tensor inference follows; longer ones describe data, not shapes.
let maximumContentsCount = 64

/// The greatest rank a value may have. Some operators double the rank, so that a small file could ask for any.
let maximumRank = 64

/// What rules read of a node and how they state its outputs.
extension InferenceContext {
  func elementType(_ index: Int) -> ElementType? { input(index)?.elementType }

  func shape(_ index: Int) -> Shape? { input(index)?.shape }

  /// The elements of an integer input when every one is known.
  func integers(_ index: Int) -> [Int]? {
    guard let contents = input(index)?.contents else { return nil }
    var result: [Int] = []
    for element in contents {
      guard let value = element.value else { return nil }
      result.append(value)
    }
    return result
  }

  /// The number of elements of an input of rank 1 when it is known.
  func vectorLength(_ index: Int) -> Int? {
    guard let shape = shape(index), shape.rank == 1, let count = shape[0].value, count >= 0 else { return nil }
    return count
  }

  /// States the first output.
  mutating func setOutput(_ elementType: ElementType?, _ shape: Shape?, contents: [Dimension]? = nil) {
    setOutput(0, elementType, shape, contents: contents)
  }

  /// States an output; one that the node does not list is ignored.
  mutating func setOutput(
    _ index: Int, _ elementType: ElementType?, _ shape: Shape?, contents: [Dimension]? = nil
  ) {
    guard outputs.indices.contains(index) else { return }
    var value = InferredValue(elementType: elementType, shape: shape)
    if let contents, contents.count <= maximumContentsCount, let elementType {
      value.contents = elementType.holding(contents)
    }
    outputs[index] = value
  }

  /// A node that breaks the rules of its operator.
  func malformed(_ message: String) -> FormatError {
    FormatError(.malformed, message, at: "node \(node.label)")
  }

  /// An axis counted from the front. Negative ones count from the end.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when the axis is outside of the rank.
  func axis(_ axis: Int, rank: Int) throws(FormatError) -> Int {
    guard axis >= -rank, axis < rank else {
      throw mismatch("axis \(axis) is outside of an input of rank \(rank)")
    }
    return axis < 0 ? axis + rank : axis
  }

  /// Distinct axes counted from the front, in the order given.
  func axes(_ axes: [Int], rank: Int) throws(FormatError) -> [Int] {
    guard axes.count <= maximumRank else { throw mismatch("\(axes.count) axes are named") }
    var result: [Int] = []
    for entry in axes {
      let axis = try axis(entry, rank: rank)
      guard !result.contains(axis) else { throw mismatch("axis \(entry) is named twice") }
      result.append(axis)
    }
    return result
  }

  /// The element type that several inputs share, as far as any is known.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when two differ.
  func commonElementType(_ indices: some Sequence<Int>) throws(FormatError) -> ElementType? {
    var common: ElementType?
    for index in indices {
      guard let type = elementType(index) else { continue }
      if let common, common != type {
        throw mismatch("inputs are of different types, \(common.name) and \(type.name)")
      }
      common = type
    }
    return common
  }

  /// The element type that an attribute names by its ONNX code; `nil` when the attribute is missing or 0.
  func elementType(attribute name: String) throws(FormatError) -> ElementType? {
    let code = node.int(name, default: 0)
    guard code != 0 else { return nil }
    guard let raw = Int32(exactly: code), let type = ElementType(rawValue: raw) else {
      throw malformed("\(name) = \(code) is not an element type")
    }
    return type
  }

  func requireRank(_ rank: Int, input index: Int) throws(FormatError) {
    guard let shape = shape(index), shape.rank != rank else { return }
    throw mismatch("input \(index) has shape \(shape), rank \(rank) is needed")
  }

  /// The extent that two axes must share.
  func unified(_ left: Dimension, _ right: Dimension, _ what: String) throws(FormatError) -> Dimension {
    guard let extent = left.unified(with: right) else { throw mismatch("\(what) disagree: \(left) and \(right)") }
    return extent
  }

  /// The product of extents that become one axis.
  func product(_ dimensions: some Sequence<Dimension>) throws(FormatError) -> Dimension {
    guard let product = Dimension.product(dimensions) else {
      throw mismatch("the shape \(Shape(Array(dimensions))) is too large")
    }
    return product
  }

  /// The sum of extents that become one axis.
  func sum(_ dimensions: some Sequence<Dimension>) throws(FormatError) -> Dimension {
    guard let sum = Dimension.sum(dimensions), sum.value ?? 0 >= 0 else {
      throw mismatch("an axis of the output is negative or too large")
    }
    return sum
  }
}

extension ElementType {
  /// The elements as a tensor of this type holds them; those outside of its range become unknown.
  ///
  /// - Returns: `nil` when the type is neither an integer nor a boolean.
  func holding(_ contents: [Dimension]) -> [Dimension]? {
    let range: ClosedRange<Int>
    switch self {
    case .int64: return contents
    case .uint64: range = 0...Int.max
    case .bool: range = 0...1
    case .int2, .int4, .int8, .int16, .int32:
      let half = 1 << ((bitWidth ?? 1) - 1)
      range = -half...half - 1
    case .uint2, .uint4, .uint8, .uint16, .uint32: range = 0...(1 << (bitWidth ?? 0)) - 1
    default: return nil
    }
    return contents.map { element in
      guard let value = element.value else { return element }
      return range.contains(value) ? element : .unknown
    }
  }
}
