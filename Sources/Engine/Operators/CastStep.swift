import NNFormat

/// Conversion of every element to another type.
///
/// Numbers go in blocks through doubles, which hold every float exactly, or through 64-bit integers; a source that is
/// float is rounded once, a source that is integer keeps its low bits in an integer target.
struct CastStep: Step {
  /// What small floats do with numbers they cannot hold.
  struct Options: Sendable {
    /// Whether what is too large becomes the largest finite number.
    var saturates = true
    /// How `float8e8m0` rounds.
    var rounding = ScaleExponent.Rounding.up
  }

  let outputTypes: [ElementType]
  let kernel = "cast"
  private let source: ElementType
  private let load: NumberBlocks.Conversion
  private let store: NumberBlocks.Conversion

  /// Elements that are converted together.
  private static let blockLength = 256

  /// The step of a cast; `nil` for pairs that the standard does not allow.
  static func make(
    from source: ElementType, to target: ElementType, _ options: Options = Options()
  ) -> (any Step)? {
    if source == target { return AliasStep(source) { inputs throws(EngineError) in try inputs.shape(0) } }
    if source == .string { return StringParsingStep(target, options) }
    if target == .string { return StringFormattingStep(source) }
    guard let load = NumberBlocks.load(source),
      let store = NumberBlocks.store(target, from: NumberBlocks.Kind(source), options)
    else { return nil }
    return CastStep(from: source, to: target, load, store)
  }

  private init(
    from source: ElementType, to target: ElementType, _ load: NumberBlocks.Conversion,
    _ store: NumberBlocks.Conversion
  ) {
    self.source = source
    outputTypes = [target]
    self.load = load
    self.store = store
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    let (load, store) = (load, store)
    let (sourceWidth, targetWidth) = (source.carriedWidth, outputTypes[0].carriedWidth)
    let length = CastStep.blockLength
    return Work([shape], scratchByteCount: length * 8, inPlaceInputs: sourceWidth == targetWidth ? [0] : []) {
      (memory) throws(EngineError) in
      let (source, target, block) = unsafe (memory.input(0), memory.output(0), memory.scratch)
      for start in stride(from: 0, to: count, by: length) {
        let part = min(length, count - start)
        unsafe load.run(source + start * sourceWidth, part, block)
        unsafe store.run(UnsafeRawPointer(block), part, target + start * targetWidth)
      }
    }
  }
}
