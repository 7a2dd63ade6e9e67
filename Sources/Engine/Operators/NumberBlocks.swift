import NNFormat

/// Blocks of numbers of any element type, read as doubles or 64-bit integers and written from them.
enum NumberBlocks {
  /// A loop from carried elements to numbers, or back.
  @safe struct Conversion: Sendable {
    private let loop: @Sendable (UnsafeRawPointer, Int, UnsafeMutableRawPointer) -> Void

    @inline(__always)
    fileprivate init<In: BitwiseCopyable & Sendable, Out: BitwiseCopyable & Sendable>(
      _ convert: @escaping @Sendable (In) -> Out
    ) {
      unsafe loop = { source, count, target in
        let before = unsafe source.assumingMemoryBound(to: In.self)
        let after = unsafe target.assumingMemoryBound(to: Out.self)
        for index in 0..<count { unsafe after[index] = convert(before[index]) }
      }
    }

    /// Converts `count` elements; `target` has room for as many.
    func run(_ source: UnsafeRawPointer, _ count: Int, _ target: UnsafeMutableRawPointer) {
      unsafe loop(source, count, target)
    }
  }

  /// What the numbers of a block are.
  enum Kind: Sendable {
    case double, int64, uint64

    /// What holds every element of a type.
    init(_ type: ElementType) { self = type.isFloatingPoint ? .double : type == .uint64 ? .uint64 : .int64 }
  }

  /// Reads elements as numbers of the kind of their type; `nil` for strings and complex numbers.
  static func load(_ type: ElementType) -> Conversion? {
    switch type {
    case .float32: Conversion { (element: Float) in Double(element) }
    case .float64: Conversion { (element: Double) in element }
    case .float16: Conversion { (element: UInt16) in Double(Float16(bitPattern: element)) }
    case .bfloat16: Conversion { (element: UInt16) in Double(bfloat16: element) }
    case .float8e8m0: Conversion { (element: UInt8) in Double(ScaleExponent.decode(element)) }
    case .bool: Conversion { (element: UInt8) in Int64(element == 0 ? 0 : 1) }
    case .int8, .int4, .int2: Conversion { (element: Int8) in Int64(element) }
    case .uint8, .uint4, .uint2: Conversion { (element: UInt8) in Int64(element) }
    case .int16: Conversion { (element: Int16) in Int64(element) }
    case .uint16: Conversion { (element: UInt16) in Int64(element) }
    case .int32: Conversion { (element: Int32) in Int64(element) }
    case .uint32: Conversion { (element: UInt32) in Int64(element) }
    case .int64: Conversion { (element: Int64) in element }
    case .uint64: Conversion { (element: UInt64) in element }
    default:
      SmallFloat.format(of: type).map { format in
        let values = format.values
        return Conversion { (element: UInt8) in Double(values[Int(element)]) }
      }
    }
  }

  /// Writes numbers as elements; `nil` for strings and complex numbers.
  static func store(_ type: ElementType, from kind: Kind, _ options: CastStep.Options) -> Conversion? {
    switch kind {
    case .double: storeReals(type, options)
    case .int64: storeIntegers(type, Int64.self, options)
    case .uint64: storeIntegers(type, UInt64.self, options)
    }
  }

  private static func storeReals(_ type: ElementType, _ options: CastStep.Options) -> Conversion? {
    switch type {
    case .float32: Conversion { (number: Double) in Float(number) }
    case .float64: Conversion { (number: Double) in number }
    case .float16: Conversion { (number: Double) in Float16(number).bitPattern }
    case .bfloat16: Conversion { (number: Double) in number.bfloat16Bits }
    case .bool: Conversion { (number: Double) in number == 0 ? UInt8(0) : 1 }
    case .int4, .int2, .uint4, .uint2:
      Conversion { (number: Double) in truncated(number, Int64.self).keepingBits(of: type) }
    default: ScalarTypes.integer(type, RealStore()) ?? storeSmallFloats(type, Double.self, options) { $0 }
    }
  }

  private static func storeIntegers<Number: FixedWidthInteger & TensorScalar>(
    _ type: ElementType, _: Number.Type, _ options: CastStep.Options
  ) -> Conversion? {
    switch type {
    case .float32: Conversion { (number: Number) in Float(number) }
    case .float64: Conversion { (number: Number) in Double(number) }
    case .float16: Conversion { (number: Number) in Float16(number).bitPattern }
    case .bfloat16: Conversion { (number: Number) in Double(number).bfloat16Bits }
    case .bool: Conversion { (number: Number) in number == 0 ? UInt8(0) : 1 }
    case .int4, .int2, .uint4, .uint2: Conversion { (number: Number) in number.keepingBits(of: type) }
    default:
      ScalarTypes.integer(type, IntegerStore<Number>()) ?? storeSmallFloats(type, Number.self, options) { Double($0) }
    }
  }

  private static func storeSmallFloats<Number: TensorScalar>(
    _ type: ElementType, _: Number.Type, _ options: CastStep.Options,
    _ double: @escaping @Sendable (Number) -> Double
  ) -> Conversion? {
    let saturates = options.saturates
    if type == .float8e8m0 {
      let rounding = options.rounding
      return Conversion { (number: Number) in ScaleExponent.encode(double(number), rounding, saturates: saturates) }
    }
    return SmallFloat.format(of: type).map { format in
      Conversion { (number: Number) in format.encode(double(number), saturates: saturates) }
    }
  }

  /// The whole part; what does not fit saturates, NaN becomes zero.
  @inline(__always)
  fileprivate static func truncated<T: FixedWidthInteger>(_ value: Double, _: T.Type) -> T {
    let whole = value.rounded(.towardZero)
    if whole.isNaN { return 0 }
    return T(exactly: whole) ?? (whole < 0 ? T.min : T.max)
  }
}

private struct RealStore: IntegerVisitor {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> NumberBlocks.Conversion {
    NumberBlocks.Conversion { (number: Double) in NumberBlocks.truncated(number, T.self) }
  }
}

private struct IntegerStore<Number: FixedWidthInteger & TensorScalar>: IntegerVisitor {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> NumberBlocks.Conversion {
    NumberBlocks.Conversion { (number: Number) in T(truncatingIfNeeded: number) }
  }
}

extension FixedWidthInteger {
  /// The carried form of the low bits as an integer type of less than 8 bits.
  @inline(__always)
  fileprivate func keepingBits(of type: ElementType) -> UInt8 {
    let unused = 8 - (type.bitWidth ?? 8)
    let bits = UInt8(truncatingIfNeeded: self) << unused
    return type == .int4 || type == .int2 ? UInt8(bitPattern: Int8(bitPattern: bits) >> unused) : bits >> unused
  }
}

extension Double {
  /// The nearest bfloat16, ties to even; a NaN stays one.
  ///
  /// The way through a float rounds to odd, so that nothing is rounded twice.
  package var bfloat16Bits: UInt16 {
    var float = Float(self)
    if isFinite, float.isFinite, Double(float) != self {
      if Double(float).magnitude > magnitude { float = Float(bitPattern: float.bitPattern - 1) }
      float = Float(bitPattern: float.bitPattern | 1)
    }
    return float.bfloat16Bits
  }
}
