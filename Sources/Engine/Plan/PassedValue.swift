/// An output of a network that is one of its inputs: a sequence or an optional value.
public struct PassedValue: Sendable, Hashable {
  /// The name of the input.
  public var input: String
  /// The name of the output.
  public var output: String
}
