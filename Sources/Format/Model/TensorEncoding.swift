/// How an ONNX file holds the elements of a tensor, kept so that writing can do the same.
public struct TensorEncoding: Sendable, Hashable {
  /// The place of the elements.
  public enum Placement: Sendable, Hashable {
    /// One run of bytes, `raw_data`.
    case raw
    /// The list of numbers that the element type prescribes: `float_data`, `int32_data` ... Strings are always listed.
    case typed
    /// A file beside the model.
    case external
  }

  /// Where the elements are.
  public var placement = Placement.raw
  /// Entries that describe the other file: `location`, `offset`, `length`, `checksum` and any more.
  public var externalData: TextDictionary = [:]
  /// The part of a larger tensor that this one is: the encoded `Segment`.
  public var segment: [UInt8]?

  /// The numbers of `int32_data` where they are not the plain ones, such as a negative number for a `uint8`.
  public var statedNumbers: [Int32]?

  /// Plain bytes in the model itself.
  public init() {}
}
