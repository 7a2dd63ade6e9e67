import NNFormat

/// How a network is compiled and run.
public struct EngineOptions: Sendable, Hashable {
  /// What the weights of dense layers are kept in. Everything is computed in float32.
  public enum Precision: String, Sendable, Hashable, CaseIterable {
    case float32
    /// Rounded to nearest, ties to even, once: half the memory. Each weight is off by at most a 512th of itself
    /// (by 2^-134 where it is subnormal), so a layer's sum by at most a 512th of the sum of the magnitudes of its terms.
    case bfloat16
  }

  /// How many threads a run may use; `nil` for all cores. The result does not depend on it, not in a single bit.
  public var threads: Int?
  /// Whether steps may be fused and constants folded into weights. Off only to compare.
  public var fusion: Bool
  /// How many bytes of memory a run may take for what it computes, beside the weights and the inputs; at most 2^46.
  public var memoryLimit: Int { didSet { memoryLimit = min(memoryLimit, Self.mostMemory) } }
  /// What the weights of dense layers are kept in: of matrix products with constant weights. Without `fusion` there are
  /// no dense layers, and it changes nothing.
  public var precision: Precision
  /// Whether the network gets threads of its own, each kept on one processor. The caller's thread is left alone.
  public var pinsThreads: Bool

  /// More than any machine has, and little enough for sums of many values.
  private static let mostMemory = 1 << 46

  /// All cores, everything fused, weights in float32, half of the machine's memory, unless said otherwise.
  public init(
    threads: Int? = nil, fusion: Bool = true, memoryLimit: Int = ReadLimits().runBytes, precision: Precision = .float32,
    pinsThreads: Bool = false
  ) {
    self.threads = threads
    self.fusion = fusion
    self.memoryLimit = min(memoryLimit, Self.mostMemory)
    self.precision = precision
    self.pinsThreads = pinsThreads
  }

  /// The same options with another number of threads.
  public func with(threads: Int?) -> EngineOptions {
    var options = self
    options.threads = threads
    return options
  }
}
