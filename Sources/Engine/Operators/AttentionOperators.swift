import NNFormat

/// Attention over keys and values, and the rotation of positions that goes before it.
package enum AttentionOperators {
  package static let rows: [OperatorImplementation] = [
    OperatorImplementation("Attention", since: 23, make: attention),
    OperatorImplementation("RotaryEmbedding", since: 23, make: rotary),
  ]

  @Sendable private static func attention(_ context: NodeContext) throws(EngineError) -> any Step {
    let type = try context.type(0)
    for index in [1, 2, 4, 5] where context.has(index) {
      guard try context.type(index) == type else { throw context.unsupported(try context.type(index)) }
    }
    if context.has(3) {
      let mask = try context.type(3)
      guard mask == type || mask == .bool else { throw context.unsupported(mask) }
    }
    guard !context.has(6) || context.inputTypes[6] == .int64, context.has(4) == context.has(5),
      !context.has(6) || !context.has(4)
    else { throw context.invalid("the inputs for past keys and values, or for lengths, do not go together") }
    guard let step = ScalarTypes.real(type, AttentionMaker(form: try AttentionForm(context))) else {
      throw context.unsupported(type)
    }
    return step
  }

  @Sendable private static func rotary(_ context: NodeContext) throws(EngineError) -> any Step {
    let form = RotaryForm(
      isInterleaved: context.int("interleaved", default: 0) != 0, heads: context.int("num_heads", default: 0),
      rotated: context.int("rotary_embedding_dim", default: 0), hasPositions: context.has(3))
    guard form.heads >= 0, form.rotated >= 0, !form.hasPositions || context.inputTypes[3] == .int64 else {
      throw context.invalid("its attributes or positions make no sense")
    }
    let type = try context.commonType(0..<3)
    guard let step = ScalarTypes.real(type, RotaryMaker(form: form)) else { throw context.unsupported(type) }
    return step
  }
}

/// The attributes of an Attention node.
struct AttentionForm: Sendable {
  /// What the fourth output shows.
  enum Shown: Int, Sendable { case product, capped, biased, probabilities }

  let isCausal: Bool
  /// How far back and ahead of its own place a query looks; below zero without bound.
  let window: (left: Int, right: Int)
  /// `nil` for one over the square root of a head's size.
  let scale: Double?
  /// The bound that scores approach; 0 for none.
  let cap: Double
  let shown: Shown
  /// The heads of values of rank 3.
  let queryHeads: Int
  let keyHeads: Int
  let maskIsBoolean: Bool
  let hasMask: Bool
  let hasPast: Bool
  let hasLengths: Bool

  init(_ context: NodeContext) throws(EngineError) {
    guard let shown = Shown(rawValue: context.int("qk_matmul_output_mode", default: 0)) else {
      throw context.invalid("qk_matmul_output_mode is not one of 0 to 3")
    }
    self.shown = shown
    isCausal = context.int("is_causal", default: 0) != 0
    window = (context.int("left_window_size", default: -1), context.int("right_window_size", default: -1))
    scale = context.node.attribute("scale").map { _ in Double(context.float("scale", default: 1)) }
    cap = Double(context.float("softcap", default: 0))
    queryHeads = context.int("q_num_heads", default: 0)
    keyHeads = context.int("kv_num_heads", default: 0)
    hasMask = context.has(3)
    maskIsBoolean = hasMask ? try context.type(3) == .bool : false
    hasPast = context.has(4)
    hasLengths = context.has(6)
  }

  /// Whether the window and the order of time let a query at a place look at a key.
  @inline(__always) func allows(query: Int, key: Int) -> Bool {
    let distance = query - key
    return (!isCausal || distance >= 0) && (window.left < 0 || distance <= window.left)
      && (window.right < 0 || -distance <= window.right)
  }
}

private struct AttentionMaker: RealVisitor {
  let form: AttentionForm
  func visit<T: RealScalar>(_: T.Type) -> any Step { AttentionStep<T>(form: form) }
}

private struct RotaryMaker: RealVisitor {
  let form: RotaryForm
  func visit<T: RealScalar>(_: T.Type) -> any Step { RotaryStep<T>(form: form) }
}
