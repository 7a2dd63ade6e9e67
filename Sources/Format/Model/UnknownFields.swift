/// What a message of a file says beyond the properties it was read into, so that writing loses nothing.
public struct UnknownFields: Sendable, Hashable {
  /// Protobuf fields that no property stands for, in file order.
  public var bytes: [UInt8]
  /// One bit for each field number. Set where the file states a default that writing would leave out, or leaves out
  /// what writing would state.
  public var deviations: UInt32 = 0
  /// The encoded type of a value, or the types of an attribute in order, where a `ValueType` does not hold everything
  /// that the file states, such as denotations. Each counts only while the property still is what it was read as.
  public var statedTypes: [[UInt8]] = []

  /// Fields that are known only by their encoding.
  public init(bytes: [UInt8] = []) { self.bytes = bytes }

  /// Whether the properties say everything.
  public var isEmpty: Bool { bytes.isEmpty && deviations == 0 && statedTypes.isEmpty }
}
