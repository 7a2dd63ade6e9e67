/// Output shapes of layers that are shown but not run.
enum OpaqueShapes {
  /// The shape a layer's output has, as far as its class and configuration tell; the batch in front.
  static func outputShape(of call: LayerCall) -> Shape? {
    guard let input = call.inputs.first?.shape, let batch = input.dimensions.first else { return nil }
    let configuration = call.configuration
    let units = (configuration["units"] ?? configuration["output_dim"])?.int.map(Dimension.known)
    switch call.layer.className {
    case "LSTM", "GRU", "SimpleRNN":
      guard let units else { return nil }
      return configuration["return_sequences"]?.bool == true && input.rank == 3
        ? [batch, input[1], units] : [batch, units]
    case "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D":
      return input.dimensions.last.map { [batch, $0] }
    case "Conv1D", "Conv2D", "Conv3D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D",
      "AveragePooling2D", "AveragePooling3D":
      return windowed(input, configuration)
    case "UnitNormalization", "GroupNormalization", "SpectralNormalization", "Masking", "Lambda":
      return call.layer.className == "Lambda" ? nil : input
    default:
      guard let units, input.rank >= 2 else { return nil }
      return Shape(input.dimensions.dropLast() + [units])
    }
  }

  /// Convolutions and pooling over the axes between batch and channels.
  private static func windowed(_ input: Shape, _ configuration: LayerConfiguration) -> Shape? {
    guard input.rank >= 3, configuration["data_format"]?.string != "channels_first" else { return nil }
    let axes = input.rank - 2
    func list(_ key: String) -> [Int]? {
      guard let value = configuration[key] else { return nil }
      let numbers = value.ints ?? value.int.map { Array(repeating: $0, count: axes) }
      return numbers?.count == axes && numbers?.allSatisfy { $0 > 0 } == true ? numbers : nil
    }
    guard let window = list("kernel_size") ?? list("pool_size") else { return nil }
    let strides = list("strides") ?? (configuration["pool_size"] == nil ? Array(repeating: 1, count: axes) : window)
    let dilation = list("dilation_rate") ?? Array(repeating: 1, count: axes)
    let isSame = configuration["padding"]?.string == "same"
    var dimensions = input.dimensions
    for axis in 0..<axes {
      guard let extent = dimensions[axis + 1].value, extent >= 0 else { continue }
      let (reach, overflow) = (window[axis] - 1).multipliedReportingOverflow(by: dilation[axis])
      let positions = isSame ? extent : extent - (overflow ? extent : reach)
      dimensions[axis + 1] = positions > 0 ? .known((positions - 1) / strides[axis] + 1) : .unknown
    }
    if let filters = configuration["filters"]?.int { dimensions[input.rank - 1] = .known(filters) }
    return Shape(dimensions)
  }
}
