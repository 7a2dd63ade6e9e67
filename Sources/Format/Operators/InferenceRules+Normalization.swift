/// Rules of normalisations.
extension InferenceRules {
  /// BatchNormalization: the input normalised, then the running or saved statistics of each channel.
  static func batchNormalization(_ context: inout InferenceContext) throws(FormatError) {
    guard context.node.int("spatial", default: 1) != 0 else {
      // Before version 9, statistics may be kept for each position as well.
      sameAsInput(&context)
      for index in 1..<5 { context.setOutput(index, context.elementType(index), context.shape(index)) }
      return
    }
    let channels = try context.normalizedChannels(parameters: 1..<5)
    for index in 1..<5 {
      let parameter = context.version >= 14 ? index + 2 : index
      context.setOutput(index, context.elementType(parameter) ?? context.elementType(0), [channels])
    }
  }

  /// InstanceNormalization: scale and bias hold one element for each channel.
  static func channelNormalization(_ context: inout InferenceContext) throws(FormatError) {
    _ = try context.normalizedChannels(parameters: 1..<3)
  }

  static func groupNormalization(_ context: inout InferenceContext) throws(FormatError) {
    let groups = context.node.int("num_groups", default: 1)
    guard groups > 0 else { throw context.mismatch("num_groups is \(groups)") }
    if let shape = context.shape(0), shape.rank >= 2, let channels = shape[1].value, channels % groups != 0 {
      throw context.mismatch("\(channels) channels cannot be divided into \(groups) groups")
    }
    sameAsInput(&context)
  }

  /// LayerNormalization and RMSNormalization: the input, then mean and inverse deviation of the outer axes.
  static func layerNormalization(_ context: inout InferenceContext) throws(FormatError) {
    sameAsInput(&context)
    let isBFloat16 = context.node.int("stash_type", default: 1) == Int(ElementType.bfloat16.rawValue)
    let statistics: ElementType = isBFloat16 ? .bfloat16 : .float32
    var outer: Shape?
    if let shape = context.shape(0) {
      let axis = try context.axis(context.node.int("axis", default: -1), rank: shape.rank)
      outer = Shape(shape.dimensions.indices.map { $0 < axis ? shape[$0] : 1 })
      for index in 1..<3 { try context.requireBroadcast(input: index, to: shape) }
    }
    for index in 1..<3 { context.setOutput(index, statistics, outer) }
  }
}

extension InferenceContext {
  /// States the first output as the first input with the channels that it and vectors of parameters agree on.
  fileprivate mutating func normalizedChannels(parameters: Range<Int>) throws(FormatError) -> Dimension {
    var channels = Dimension.unknown
    var result = shape(0)
    if let shape = result {
      guard shape.rank > 0 else { throw mismatch("a scalar has no channels") }
      channels = shape.rank > 1 ? shape[1] : 1
    }
    for index in parameters {
      try requireRank(1, input: index)
      if let parameter = shape(index) {
        channels = try unified(channels, parameter[0], "the channels of input \(index) and of the data")
      }
    }
    if let shape = result, shape.rank > 1 { result?[1] = channels }
    setOutput(elementType(0), result)
    return channels
  }
}
