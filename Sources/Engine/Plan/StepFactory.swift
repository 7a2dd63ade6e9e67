import NNFormat

/// Makes the steps of draft nodes.
package enum StepFactory {
  /// The step of one node, its element types resolved from the draft.
  ///
  /// - Parameter precision: what the weights of dense layers are kept in.
  /// - Throws: `EngineError` that names the node.
  package static func step(
    for node: DraftNode, in draft: Draft, precision: EngineOptions.Precision = .float32, pool: ThreadPool
  ) throws(EngineError) -> any Step {
    do throws(EngineError) {
      switch node.operation {
      case .standard: return try standardStep(node, draft)
      case .conditional: throw UnsupportedOperator.computedCondition
      case .dense(let layer):
        let step = try DenseStep(layer, precision: precision, pool: pool)
        return try widened(step, types: [layer.elementType])
      case .integerDense(let layer): return try IntegerDenseStep(layer)
      case .codeDense(let layer): return CodeDenseStep(layer)
      case .activation(let activation):
        let type = node.inputs.first.flatMap { $0.flatMap { draft.values[$0].elementType } } ?? .float32
        return try widened(ActivationStep(activation), types: [type])
      case .affine(let scale, let offset):
        let type = node.inputs.first.flatMap { $0.flatMap { draft.values[$0].elementType } } ?? .float32
        return try widened(AffineStep(scale: scale, offset: offset), types: [type])
      }
    } catch {
      throw EngineError(error.kind, error.message, node: error.node ?? node.origin.label)
    }
  }

  /// The same step with what is worth doing once a plan done.
  ///
  /// - Throws: `EngineError` that names the node.
  package static func preparedStep(
    for node: DraftNode, in draft: Draft, precision: EngineOptions.Precision, pool: ThreadPool
  ) throws(EngineError) -> any Step {
    let step = try step(for: node, in: draft, precision: precision, pool: pool)
    do throws(EngineError) { return try step.prepared(pool) } catch {
      throw EngineError(error.kind, error.message, node: error.node ?? node.origin.label)
    }
  }

  private static func standardStep(_ node: DraftNode, _ draft: Draft) throws(EngineError) -> any Step {
    let origin = node.origin
    guard let row = OperatorTable.row(origin.operatorType, domain: origin.domain, version: node.version) else {
      throw UnsupportedOperator(origin, version: node.version).error
    }
    var types: [ElementType?] = []
    for input in node.inputs {
      guard let input else {
        types.append(nil)
        continue
      }
      guard let type = draft.values[input].elementType else {
        throw EngineError(.invalidGraph, "the type of its input \"\(draft.values[input].name)\" is not known")
      }
      types.append(type)
    }
    let constants = node.inputs.map { draft.constant($0) }
    let narrow = types.compactMap { $0 }.first { $0 == .float16 || $0 == .bfloat16 }
    guard row.sixteenBit == .widened, let narrow else {
      return try row.make(
        NodeContext(node: origin, version: node.version, inputTypes: types, constants: constants))
    }
    var wideConstants: [Constant?] = []
    for constant in constants { wideConstants.append(try constant?.widened()) }
    let inner = try row.make(
      NodeContext(
        node: origin, version: node.version, inputTypes: types.map { $0.map(WideningStep.wide) },
        constants: wideConstants))
    return WideningStep(inner, inputTypes: types, narrow: narrow)
  }

  /// A float32 step for the given element type of its input and output.
  private static func widened(_ step: any Step, types: [ElementType]) throws(EngineError) -> any Step {
    guard let type = types.first, type != .float32 else { return step }
    guard type == .float16 || type == .bfloat16 else {
      throw EngineError(.unsupported, "element type \(type.name) has no fused step")
    }
    return WideningStep(step, inputTypes: types, narrow: type)
  }
}
