/// How a network is compiled and run.
public struct EngineOptions: Sendable, Hashable {
  /// How many threads a run may use; `nil` for all cores. The result does not depend on it, not in a single bit.
  public var threads: Int?
  /// Whether steps may be fused and constants folded into weights. Off only to compare.
  public var fusion: Bool
  /// The largest block of memory, in bytes, that a single value or the scratch space of a run may take.
  public var memoryLimit: Int

  /// All cores, everything fused, unless said otherwise.
  public init(threads: Int? = nil, fusion: Bool = true, memoryLimit: Int = 1 << 36) {
    self.threads = threads
    self.fusion = fusion
    self.memoryLimit = memoryLimit
  }
}
