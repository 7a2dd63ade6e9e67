import NNFormat

/// Numbers as text: plain decimal digits, the fewest that read back as the same number; `nan`, `inf` and `-inf`.
struct StringFormattingStep: Step {
  let outputTypes: [ElementType] = [.string]
  let kernel = "cast to text"
  private let load: NumberBlocks.Conversion
  private let source: ElementType

  /// `nil` for types that are no numbers.
  init?(_ source: ElementType) {
    guard let load = NumberBlocks.load(source) else { return nil }
    self.load = load
    self.source = source
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    let (load, source) = (load, source)
    return Work([shape], scratchByteCount: 8) { (memory) throws(EngineError) in
      let target = memory.output(0, StringElement.self, count: count)
      let number = unsafe memory.scratch
      for index in 0..<count {
        unsafe load.run(memory.input(0) + index * source.carriedWidth, 1, number)
        let text = unsafe StringFormattingStep.text(number, source)
        target[index] = try memory.strings.add(text.utf8)
      }
    }
  }

  private static func text(_ number: UnsafeMutableRawPointer, _ type: ElementType) -> String {
    switch NumberBlocks.Kind(type) {
    case .int64: return unsafe String(number.load(as: Int64.self))
    case .uint64: return unsafe String(number.load(as: UInt64.self))
    case .double:
      let value = unsafe number.load(as: Double.self)
      switch type {
      case .float64: return plain(value.description)
      case .float16: return plain(Float16(value).description)
      default: return plain(Float(value).description)
      }
    }
  }

  /// A description without an exponent: `1.5e-07` becomes `0.00000015`.
  static func plain(_ description: String) -> String {
    let parts = description.split(separator: "e")
    guard parts.count == 2, let exponent = Int(parts[1]) else { return description }
    let isNegative = parts[0].hasPrefix("-")
    let mantissa = parts[0].drop { $0 == "-" }.split(separator: ".")
    let whole = String(mantissa.first ?? "0")
    var fraction = mantissa.count > 1 ? String(mantissa[1]) : ""
    if fraction == "0" { fraction = "" }
    var digits = whole + fraction
    var point = whole.count + exponent
    if point <= 0 {
      digits = String(repeating: "0", count: 1 - point) + digits
      point = 1
    }
    if digits.count <= point { digits += String(repeating: "0", count: point - digits.count + 1) }
    return (isNegative ? "-" : "") + digits.prefix(point) + "." + digits.dropFirst(point)
  }
}

/// Text as numbers: integers, decimal and scientific notation, `INF`, `+INF`, `-INF` and `NaN` in any case.
struct StringParsingStep: Step {
  let outputTypes: [ElementType]
  let kernel = "cast from text"
  private let storeReal: NumberBlocks.Conversion
  private let storeSigned: NumberBlocks.Conversion
  private let storeUnsigned: NumberBlocks.Conversion

  /// `nil` for types that are no numbers.
  init?(_ target: ElementType, _ options: CastStep.Options) {
    guard let real = NumberBlocks.store(target, from: .double, options),
      let signed = NumberBlocks.store(target, from: .int64, options),
      let unsigned = NumberBlocks.store(target, from: .uint64, options)
    else { return nil }
    outputTypes = [target]
    storeReal = real
    storeSigned = signed
    storeUnsigned = unsigned
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let count = try Extents.count(shape)
    let step = self
    let width = outputTypes[0].carriedWidth
    return Work([shape], scratchByteCount: 8) { (memory) throws(EngineError) in
      let source = memory.input(0, StringElement.self, count: count)
      for index in 0..<count {
        let text = source[index].text
        guard unsafe step.store(text, memory.scratch, memory.output(0) + index * width) else {
          throw EngineError(.invalidInput, "the string \"\(text)\" is no number")
        }
      }
    }
  }

  private func store(
    _ text: String, _ number: UnsafeMutableRawPointer, _ target: UnsafeMutableRawPointer
  ) -> Bool {
    var text = Substring(text)
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    if let value = Int64(text) {
      unsafe number.storeBytes(of: value, as: Int64.self)
      unsafe storeSigned.run(number, 1, target)
    } else if let value = UInt64(text) {
      unsafe number.storeBytes(of: value, as: UInt64.self)
      unsafe storeUnsigned.run(number, 1, target)
    } else {
      // A float32 is rounded once, from the text itself.
      let single = outputTypes[0] == .float32 ? Float(text.lowercased()).map { Double($0) } : nil
      guard let value = single ?? Double(text.lowercased()) else { return false }
      unsafe number.storeBytes(of: value, as: Double.self)
      unsafe storeReal.run(number, 1, target)
    }
    return true
  }
}
