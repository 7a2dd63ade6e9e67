/// A constant array: element type, shape and bytes. Typed dynamically; kernels give it a static type.
public struct Tensor: Sendable {
  /// The type of the elements.
  public let elementType: ElementType
  /// Extents, outermost first; empty for a scalar.
  public let shape: [Int]
  /// Where the elements are.
  public let storage: TensorStorage
  /// The tensor's own name where it is the value of an attribute or the indices of a sparse tensor.
  public var name = ""
  /// A text for people.
  public var docString = ""
  /// Entries for programs and people.
  public var metadata: TextDictionary = [:]
  /// How the file holds the elements.
  public var encoding = TensorEncoding()
  /// What the file says beyond the other properties.
  public var unknownFields = UnknownFields()
  /// The initializer that the elements are those of, while layers are made of a graph.
  var origin: TensorOrigin?

  /// A tensor over existing storage.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when the storage does not hold exactly the bytes the shape needs.
  public init(elementType: ElementType, shape: [Int], storage: TensorStorage) throws(FormatError) {
    guard let count = checkedProduct(shape) else {
      throw FormatError(.limit, "shape \(shape) is negative or too large")
    }
    let held: Int
    let needed: Int?
    switch storage {
    case .mapped(_, let range):
      (held, needed) = (range.count, elementType.byteCount(of: count))
    case .owned(let bytes):
      (held, needed) = (bytes.count, elementType.byteCount(of: count))
    case .deferred(let byteCount, _):
      (held, needed) = (byteCount, elementType.byteCount(of: count))
    case .strings(let strings):
      (held, needed) = (strings.count, elementType == .string ? count : nil)
    }
    guard held == needed else {
      throw FormatError(
        .mismatch, "\(elementType.name)\(shape) needs \(needed.map(String.init) ?? "?") bytes, \(held) are stored")
    }
    self.elementType = elementType
    self.shape = shape
    self.storage = storage
  }

  /// A tensor that copies an array of scalars; the element type is the scalar's.
  ///
  /// - Precondition: `shape` has exactly `elements.count` elements.
  public init<Scalar: TensorScalar>(_ elements: [Scalar], shape: [Int]? = nil) {
    let shape = shape ?? [elements.count]
    precondition(checkedProduct(shape) == elements.count, "shape \(shape) does not hold \(elements.count) elements")
    elementType = Scalar.elementType
    self.shape = shape
    storage = .owned(AlignedBytes(copying: elements))
  }

  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// Size of the elements in bytes; for strings the sum of their lengths.
  public var byteCount: Int {
    if case .strings(let strings) = storage { return strings.reduce(0) { $0 + $1.count } }
    return elementType.byteCount(of: count) ?? 0
  }

  /// Calls `body` with the dense little-endian bytes, without copying them when they are mapped or in memory.
  ///
  /// The start may be unaligned for the element type when the tensor is mapped.
  /// - Throws: `FormatError` when the bytes cannot be read, or the tensor holds strings.
  public func withBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws(FormatError) -> Result
  ) throws(FormatError) -> Result {
    switch storage {
    case .mapped(let file, let range): return try unsafe file.withBytes(range, body)
    case .owned(let bytes): return try unsafe bytes.withBytes(body)
    case .deferred(_, let load): return try unsafe load().withBytes(body)
    case .strings: throw FormatError(.mismatch, "a string tensor has no dense bytes")
    }
  }

  /// The elements as an array of exactly their own type.
  ///
  /// - Throws: `FormatError` of kind `mismatch` when `Scalar` is not the element type.
  public func elements<Scalar: TensorScalar>(as _: Scalar.Type = Scalar.self) throws(FormatError) -> [Scalar] {
    guard Scalar.elementType == elementType else {
      throw FormatError(.mismatch, "a tensor of \(elementType.name) was read as \(Scalar.elementType.name)")
    }
    return try unsafe withBytes { bytes in
      unsafe [Scalar](unsafeUninitializedCapacity: count) { buffer, initialized in
        unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
        initialized = count
      }
    }
  }

  /// The same bytes under another shape with as many elements.
  public func reshaped(to shape: [Int]) throws(FormatError) -> Tensor {
    var tensor = try Tensor(elementType: elementType, shape: shape, storage: storage)
    tensor.origin = origin
    return tensor
  }
}

/// A Swift type that is the in-memory form of one element type.
public protocol TensorScalar: BitwiseCopyable, Sendable {
  /// The element type of tensors of this scalar.
  static var elementType: ElementType { get }
}

extension Float: TensorScalar {
  /// `float32`.
  public static var elementType: ElementType { .float32 }
}
extension Double: TensorScalar {
  /// `float64`.
  public static var elementType: ElementType { .float64 }
}
extension Int8: TensorScalar {
  /// `int8`.
  public static var elementType: ElementType { .int8 }
}
extension Int16: TensorScalar {
  /// `int16`.
  public static var elementType: ElementType { .int16 }
}
extension Int32: TensorScalar {
  /// `int32`.
  public static var elementType: ElementType { .int32 }
}
extension Int64: TensorScalar {
  /// `int64`.
  public static var elementType: ElementType { .int64 }
}
extension UInt8: TensorScalar {
  /// `uint8`.
  public static var elementType: ElementType { .uint8 }
}
extension UInt16: TensorScalar {
  /// `uint16`.
  public static var elementType: ElementType { .uint16 }
}
extension UInt32: TensorScalar {
  /// `uint32`.
  public static var elementType: ElementType { .uint32 }
}
extension UInt64: TensorScalar {
  /// `uint64`.
  public static var elementType: ElementType { .uint64 }
}
extension Bool: TensorScalar {
  /// `bool`.
  public static var elementType: ElementType { .bool }
}
