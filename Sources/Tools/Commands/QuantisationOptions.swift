import ArgumentParser
import NNEngine
import NNFormat

extension QuantisationSettings.Scheme: ExpressibleByArgument {}
extension QuantisationSettings.Form: ExpressibleByArgument {}
extension QuantisationSettings.CalibrationMethod: ExpressibleByArgument {}

/// An element type by its name; ONNX Runtime's names, `qint8`, are understood as well.
struct QuantisedType: ExpressibleByArgument {
  let elementType: ElementType

  init?(argument: String) {
    let name = argument.lowercased()
    let plain = name.hasPrefix("q") ? String(name.dropFirst()) : name
    guard let type = ElementType.allCases.first(where: { $0.name == plain }), type.isInteger else { return nil }
    elementType = type
  }
}

/// The settings of `quantise`.
struct QuantisationOptions: ParsableArguments {
  @Option(help: ArgumentHelp("dynamic, static, weight-only, float16 or bfloat16.", valueName: "SCHEME"))
  var scheme: QuantisationSettings.Scheme

  @Option(help: ArgumentHelp("int8, uint8, int4 or uint4 (default: int8).", valueName: "TYPE"))
  var weightType: QuantisedType?

  @Option(
    help: ArgumentHelp(
      "Activations of the scheme static: uint8, int8, uint16 or int16 (default: uint8).", valueName: "TYPE"))
  var activationType: QuantisedType?

  @Flag(inversion: .prefixedNo, help: "A scale for each output of a layer (default), or one for all.")
  var perChannel: Bool?

  @Flag(
    inversion: .prefixedNo,
    help: "Zero points in the middle, or fitted (default: in the middle for weights of signed types).")
  var symmetric: Bool?

  @Flag(help: "Use 7 bits of 8-bit weights, for processors whose products of bytes saturate.")
  var reduceRange = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Of weight-only: rows of weights that share a scale, 0 for all (default: 32 for 4 bits and qoperator, else 0).",
      valueName: "N"))
  var blockSize: Int?

  @Option(
    help: ArgumentHelp(
      "qdq: standard operators; qoperator: QLinearMatMul, QGemm, DynamicQuantizeMatMul or MatMulNBits (default: qdq).",
      valueName: "FORM"))
  var format: QuantisationSettings.Form?

  @Option(help: ArgumentHelp("minmax, entropy or percentile (default: minmax).", valueName: "METHOD"))
  var calibrationMethod: QuantisationSettings.CalibrationMethod?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Of percentile: per cent of the numbers that ranges hold (default: 99.99).", valueName: "P"))
  var percentile: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Calibrate on this many rows, drawn from --seed (default: all).", valueName: "N"))
  var samples: Int?

  @Option(
    help: ArgumentHelp(
      "Leave this layer, or those that this regular expression matches, as they are. Repeatable.", valueName: "NODE"))
  var exclude: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Draw rows and random inputs from this seed (default: 1).", valueName: "N"))
  var seed: UInt64?

  func validate() throws {
    let weights: [ElementType] = [.int8, .uint8, .int4, .uint4]
    if let weightType, !weights.contains(weightType.elementType) {
      throw ValidationError("--weight-type is int8, uint8, int4 or uint4.")
    }
    let activations: [ElementType] = [.int8, .uint8, .int16, .uint16]
    if let activationType, !activations.contains(activationType.elementType) {
      throw ValidationError("--activation-type is uint8, int8, uint16 or int16.")
    }
    if let percentile, !(percentile > 0 && percentile <= 100) {
      throw ValidationError("--percentile must be above 0 and at most 100.")
    }
    if let blockSize, blockSize != 0, !(2...Int(Int32.max)).contains(blockSize) {
      throw ValidationError("--block-size must be 0, or from 2 to \(Int32.max).")
    }
    if let samples, samples < 1 { throw ValidationError("--samples must be 1 or more.") }
    try refuseIdleOptions()
  }

  /// No option is ignored in silence.
  private func refuseIdleOptions() throws {
    func refuse(_ option: String, _ isGiven: Bool, unless applies: Bool) throws {
      if isGiven, !applies { throw ValidationError("\(option) does not go with --scheme \(scheme.rawValue).") }
    }
    let isHalf = scheme == .float16 || scheme == .bfloat16
    let isStatic = scheme == .calibrated
    try refuse("--weight-type", weightType != nil, unless: !isHalf)
    try refuse("--activation-type", activationType != nil, unless: !isHalf && scheme != .weightOnly)
    try refuse("--per-channel", perChannel != nil, unless: !isHalf)
    try refuse("--symmetric", symmetric != nil, unless: !isHalf)
    try refuse("--reduce-range", reduceRange, unless: !isHalf)
    try refuse("--block-size", blockSize != nil, unless: scheme == .weightOnly)
    try refuse("--format", format != nil, unless: !isHalf)
    try refuse("--calibration-method", calibrationMethod != nil, unless: isStatic)
    try refuse("--percentile", percentile != nil, unless: isStatic)
    try refuse("--samples", samples != nil, unless: isStatic)
    if percentile != nil, calibrationMethod != .percentile {
      throw ValidationError("--percentile goes with --calibration-method percentile.")
    }
    if reduceRange, settings.weightType.bitWidth != 8 {
      throw ValidationError("--reduce-range goes with weights of 8 bits.")
    }
    let isBlocked = settings.effectiveBlockSize != nil || scheme == .weightOnly && format == .qoperator
    if perChannel == false, isBlocked {
      throw ValidationError("--no-per-channel does not go with blocks of weights, which have scales of their own.")
    }
  }

  /// The settings that the options ask for.
  var settings: QuantisationSettings {
    var settings = QuantisationSettings(scheme)
    settings.weightType = weightType?.elementType ?? settings.weightType
    settings.activationType = activationType?.elementType ?? settings.activationType
    settings.isPerChannel = perChannel ?? true
    settings.isSymmetric = symmetric
    settings.reducesRange = reduceRange
    settings.blockSize = blockSize
    settings.form = format ?? .qdq
    settings.calibrationMethod = calibrationMethod ?? .minmax
    settings.percentile = percentile ?? settings.percentile
    settings.sampleCount = samples
    settings.exclusions = exclude
    settings.seed = seed ?? settings.seed
    return settings
  }
}
