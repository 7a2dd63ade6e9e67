/// Rules of operators that make tensors.
extension InferenceRules {
  static func constant(_ context: inout InferenceContext) throws(FormatError) {
    let stated = context.node.attributes.filter { !$0.name.hasPrefix("__") }
    guard stated.count == 1, let value = stated.first?.value else {
      throw context.malformed("a constant needs exactly one value, \(stated.count) are given")
    }
    switch value {
    case .tensor(let tensor): context.outputs[outputAt: 0] = InferredValue(tensor)
    case .sparseTensor(let sparse): context.setOutput(sparse.values.elementType, Shape(sparse.shape))
    case .int(let element): context.setOutput(.int64, [], contents: [.known(Int(element))])
    case .ints(let elements):
      context.setOutput(.int64, [.known(elements.count)], contents: elements.map { .known(Int($0)) })
    case .float: context.setOutput(.float32, [])
    case .floats(let elements): context.setOutput(.float32, [.known(elements.count)])
    case .string: context.setOutput(.string, [])
    case .strings(let elements): context.setOutput(.string, [.known(elements.count)])
    default: throw context.malformed("a constant cannot hold such a value")
    }
  }

  static func constantOfShape(_ context: inout InferenceContext) throws(FormatError) {
    try context.requireRank(1, input: 0)
    var type = ElementType.float32
    var element: Dimension?
    if case .tensor(let tensor) = context.node.attribute("value") {
      guard tensor.count == 1 else { throw context.malformed("the value has \(tensor.count) elements, not 1") }
      type = tensor.elementType
      element = InferredValue(tensor).contents?.first
    }
    guard let extents = context.input(0)?.contents ?? context.unknownContents(0) else {
      return context.setOutput(type, nil)
    }
    guard !extents.contains(where: { $0.value ?? 0 < 0 }) else {
      throw context.mismatch("the shape \(Shape(extents)) has a negative extent")
    }
    var contents: [Dimension]?
    if let element, extents.count == 1, let count = extents[0].value, count <= maximumContentsCount {
      contents = Array(repeating: element, count: count)
    }
    context.setOutput(type, Shape(extents), contents: contents)
  }

  static func eyeLike(_ context: inout InferenceContext) throws(FormatError) {
    try context.requireRank(2, input: 0)
    let stated = try context.elementType(attribute: "dtype")
    context.setOutput(stated ?? context.elementType(0), context.shape(0) ?? [.unknown, .unknown])
  }

  /// Range: start, limit, delta; as many elements as lie before the limit.
  static func range(_ context: inout InferenceContext) throws(FormatError) {
    let type = try context.commonElementType(0..<3)
    let operands = (0..<3).map { context.input($0)?.contents?.first }
    guard let start = operands[0], let limit = operands[1], let delta = operands[2] else {
      return context.setOutput(type, [.unknown])
    }
    guard delta != 0 else { throw context.mismatch("the step of a range is 0") }
    if start == 0, delta == 1, case .symbolic = limit { return context.setOutput(type, [limit]) }
    guard let first = start.value, let step = delta.value, let span = limit.minus(start).value else {
      return context.setOutput(type, [.unknown])
    }
    guard span != 0, (span > 0) == (step > 0) else { return context.setOutput(type, [0], contents: []) }
    let (count, overflow) = Int((span.magnitude - 1) / step.magnitude).addingReportingOverflow(1)
    guard !overflow else { throw context.mismatch("the range is too large") }
    var contents: [Dimension]?
    if count <= maximumContentsCount {
      contents = (0..<count).map { Dimension.known(first).plus(.known($0).times(delta)) }
    }
    context.setOutput(type, [.known(count)], contents: contents)
  }
}
