/// The type of one element of a tensor. Raw values are those of ONNX `TensorProto.DataType`.
public enum ElementType: Int32, Sendable, Hashable, CaseIterable {
  case float32 = 1
  case uint8 = 2
  case int8 = 3
  case uint16 = 4
  case int16 = 5
  case int32 = 6
  case int64 = 7
  case string = 8
  case bool = 9
  case float16 = 10
  case float64 = 11
  case uint32 = 12
  case uint64 = 13
  case complex64 = 14
  case complex128 = 15
  case bfloat16 = 16
  case float8e4m3fn = 17
  case float8e4m3fnuz = 18
  case float8e5m2 = 19
  case float8e5m2fnuz = 20
  case uint4 = 21
  case int4 = 22
  case float4e2m1 = 23
  case float8e8m0 = 24
  case uint2 = 25
  case int2 = 26
  case float6e2m3 = 27
  case float6e3m2 = 28

  /// The name used in reports and accepted in JSON: `float32`, `bfloat16`, `uint4` ...
  public var name: String { String(describing: self) }

  /// The type of a name of the ONNX standard, `FLOAT`, `DOUBLE`, `INT64` ..., in any case.
  package init?(standardName: String) {
    switch standardName.uppercased() {
    case "FLOAT": self = .float32
    case "DOUBLE": self = .float64
    case let name:
      guard let type = ElementType.allCases.first(where: { $0.name.uppercased() == name }), type != .float32,
        type != .float64
      else { return nil }
      self = type
    }
  }

  /// Size of one element in bits as it lies in a dense buffer; `nil` for strings, which have no fixed size.
  public var bitWidth: Int? {
    switch self {
    case .uint2, .int2: 2
    case .uint4, .int4, .float4e2m1: 4
    case .float6e2m3, .float6e3m2: 6
    case .uint8, .int8, .bool, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0: 8
    case .uint16, .int16, .float16, .bfloat16: 16
    case .float32, .int32, .uint32: 32
    case .float64, .int64, .uint64, .complex64: 64
    case .complex128: 128
    case .string: nil
    }
  }

  /// Whether values are real floating-point numbers of any width.
  public var isFloatingPoint: Bool {
    switch self {
    case .float16, .bfloat16, .float32, .float64, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz,
      .float4e2m1, .float6e2m3, .float6e3m2, .float8e8m0:
      true
    default: false
    }
  }

  /// Whether values are integers (booleans are not).
  public var isInteger: Bool {
    switch self {
    case .uint2, .int2, .uint4, .int4, .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64: true
    default: false
    }
  }

  /// Bytes that `count` elements take in a dense buffer, sub-byte types packed.
  ///
  /// - Returns: `nil` when the type has no fixed size, `count` is negative, or the size overflows.
  public func byteCount(of count: Int) -> Int? {
    guard let bitWidth, count >= 0 else { return nil }
    if bitWidth >= 8 {
      let (bytes, overflow) = count.multipliedReportingOverflow(by: bitWidth / 8)
      return overflow ? nil : bytes
    }
    return count / 8 * bitWidth + (count % 8 * bitWidth + 7) / 8
  }
}
