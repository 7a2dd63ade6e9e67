import NNFormat

/// Why a graph cannot be planned or run.
public struct EngineError: Error, Sendable, Hashable {
  /// The class of a failure, for programs that react to it.
  public enum Kind: Sendable, Hashable {
    /// The graph uses an operator, an attribute or a type that the engine does not run.
    case unsupported
    /// The graph contradicts itself: a missing value, a cycle, an attribute of the wrong kind.
    case invalidGraph
    /// Shapes or element types do not fit together.
    case shapeMismatch
    /// The caller's input does not fit the network's.
    case invalidInput
  }

  /// The class of the failure.
  public var kind: Kind
  /// What is wrong, as a clause without a full stop.
  public var message: String
  /// The node concerned, as `Node.label` gives it.
  public var node: String?

  /// An error at a node, or at none in particular.
  public init(_ kind: Kind, _ message: String, node: String? = nil) {
    self.kind = kind
    self.message = message
    self.node = node
  }
}

extension EngineError {
  /// What reading or rewriting a model refuses, with its place in the message.
  init(_ kind: Kind, _ error: FormatError) {
    self.init(kind, error.place.map { "\(error.message) (\($0))" } ?? error.message)
  }

  /// A run would take more than it may.
  static func overLimit(_ what: String, _ byteCount: Int, _ options: EngineOptions) -> EngineError {
    EngineError(
      .shapeMismatch, "\(what) take \(byteCount) bytes, more than the \(options.memoryLimit) that a run may take")
  }

  /// The system has no block of so many bytes.
  static func noMemory(_ byteCount: Int) -> EngineError {
    EngineError(.shapeMismatch, "a value of \(byteCount) bytes does not fit into memory")
  }
}

extension EngineError: CustomStringConvertible {
  /// One line: the node, then what is wrong.
  public var description: String { ((node.map { "node \($0): " } ?? "") + message + ".").onOneLine }
}
