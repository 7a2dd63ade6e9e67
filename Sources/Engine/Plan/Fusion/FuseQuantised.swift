import NNFormat

extension Fusion {
  /// MatMul and Gemm with quantised constants on the right become integer dense layers where their left side comes from
  /// codes, else dense layers whose weights stay codes; then additions, activations and quantisations right behind any
  /// integer or code layer go into it.
  package static func fuseQuantised(
    _ draft: inout Draft, _ pool: ThreadPool, rank: (Int) -> Int?
  ) throws(EngineError) {
    try fuseIntegerProducts(&draft, pool, rank: rank)
    draft.removeDeadNodes()
    fuseDequantised(&draft, pool)
    draft.removeDeadNodes()
    try fusePackedBits(&draft, pool)
    while try fuseEpilogues(&draft) { draft.removeDeadNodes() }
  }

  /// The values that a product reads as its right side, so that dequantising them can wait for its layer.
  package static func rightSides(_ draft: Draft) -> Set<Int> {
    var result: Set<Int> = []
    for node in draft.nodes where node.isOperator("MatMul") || node.isOperator("Gemm") {
      if let right = node.input(1) { result.insert(right) }
    }
    return result
  }

  /// Whether a node of constants makes the right side of products from codes, which may stay codes.
  package static func keepsCodes(_ node: DraftNode, _ rightSides: Set<Int>, _ draft: Draft) -> Bool {
    guard let output = node.output(0), rightSides.contains(output), node.isDequantisation || node.isOperator("Cast")
    else { return false }
    return QuantisedWeights(node, isTransposed: false, draft) != nil
      || QuantisedWeights(node, isTransposed: true, draft) != nil
  }

  // MARK: MatMul and Gemm

  private static func fuseDequantised(_ draft: inout Draft, _ pool: ThreadPool) {
    let producers = draft.producers()
    for index in draft.nodes.indices {
      let node = draft.nodes[index]
      let isGemm = node.isOperator("Gemm")
      guard isGemm || node.isOperator("MatMul"), let input = node.input(0),
        draft.values[input].elementType == .float32, let right = node.input(1).flatMap({ producers[$0] }),
        !isGemm || (node.origin.int("transA", default: 0) == 0 && node.origin.float("alpha", default: 1) == 1),
        let weights = QuantisedWeights(
          draft.nodes[right], isTransposed: isGemm && node.origin.int("transB", default: 0) != 0, draft)
      else { continue }
      var bias: [Float]?
      if isGemm, let offset = node.input(2) {
        guard let constant = draft.constant(offset), constant.elementType == .float32,
          node.origin.float("beta", default: 1) == 1, let values = columnValues(constant, weights.columns)
        else { continue }
        bias = values
      }
      if let (source, form) = codes(input, draft, producers), let scales = weights.byColumn?.scales,
        !draft.nodes[right].isOperator("Cast"), let bytes = try? weights.bytes(pool)
      {
        var layer = IntegerDense(input: form, weights: bytes, scales: scales, allowsVector: !isGemm)
        layer.bias = bias
        draft.nodes[index].operation = .integerDense(layer)
        draft.nodes[index].inputs = [source]
      } else if weights.codes.count >= CodeDense.leastCount, let matrix = try? weights.codeMatrix(pool) {
        var layer = CodeDense(weights: matrix, allowsVector: !isGemm)
        layer.bias = bias
        draft.nodes[index].operation = .codeDense(layer)
        draft.nodes[index].inputs = [input]
      }
    }
  }

  /// The value that a dequantised left side comes from, and how: codes, or floats that one scale quantises.
  private static func codes(
    _ value: Int, _ draft: Draft, _ producers: [Int: Int]
  ) -> (value: Int, form: IntegerDense.Input)? {
    guard let node = producers[value].map({ draft.nodes[$0] }), node.isDequantisation, let codes = node.input(0),
      let type = draft.values[codes].elementType,
      let tensor = QuantisedTensor(scale: node.input(1), zero: node.input(2), type: type, draft)
    else { return nil }
    if let source = producers[codes].map({ draft.nodes[$0] }), source.quantises(to: tensor, draft),
      let floats = source.input(0)
    {
      return (floats, .floats(scale: tensor.scale, zero: tensor.zero, isSigned: tensor.isSigned))
    }
    return (codes, .codes(scale: tensor.scale, zero: tensor.zero, isSigned: tensor.isSigned))
  }

  /// MatMulNBits with constant weights of 4 or 8 bits.
  private static func fusePackedBits(_ draft: inout Draft, _ pool: ThreadPool) throws(EngineError) {
    for index in draft.nodes.indices {
      let node = draft.nodes[index]
      guard node.isContributed("MatMulNBits"), let input = node.input(0),
        draft.values[input].elementType == .float32
      else { continue }
      let types = node.inputs.map { $0.flatMap { draft.values[$0].elementType } }
      let context = NodeContext(
        node: node.origin, version: node.version, inputTypes: types, constants: node.inputs.map { draft.constant($0) })
      let packed: PackedCodeMatrix?
      do throws(EngineError) { packed = try MatMulNBitsStep(context).codes(pool) } catch {
        throw EngineError(error.kind, error.message, node: error.node ?? node.origin.label)
      }
      guard let packed else { continue }
      var layer = CodeDense(weights: packed, allowsVector: true)
      if let offset = node.input(5) {
        guard let values = draft.constant(offset), let bias = columnValues(values, packed.columns) else { continue }
        layer.bias = bias
      }
      draft.nodes[index].operation = .codeDense(layer)
      draft.nodes[index].inputs = [input]
    }
  }

  // MARK: What follows a layer

  /// Takes one node into each layer that it can; whether there was any.
  private static func fuseEpilogues(_ draft: inout Draft) throws(EngineError) -> Bool {
    let consumers = draft.consumers()
    var isChanged = false
    for index in draft.nodes.indices {
      guard let result = draft.nodes[index].output(0), let reader = draft.soleReader(of: result, consumers),
        let output = draft.nodes[reader].output(0)
      else { continue }
      let next = draft.nodes[reader]
      switch draft.nodes[index].operation {
      case .integerDense(var layer):
        guard layer.rounding == nil else { continue }
        if next.isQuantisation {
          guard let type = draft.values[output].elementType,
            let tensor = QuantisedTensor(scale: next.input(1), zero: next.input(2), type: type, draft),
            next.input(0) == result, next.quantises(to: tensor, draft)
          else { continue }
          layer.rounding = IntegerDense.Rounding(scale: tensor.scale, zero: tensor.zero, type: tensor.type)
        } else if layer.activation == .identity, layer.bias == nil,
          let bias = bias(next, of: result, layer.weights.columns, layer.allowsVector, draft)
        {
          layer.bias = bias
        } else if layer.activation == .identity, let function = try activation(of: next, draft) {
          layer.activation = function
        } else {
          continue
        }
        draft.nodes[index].operation = .integerDense(layer)
      case .codeDense(var layer):
        guard layer.activation == .identity else { continue }
        if layer.bias == nil, let bias = bias(next, of: result, layer.weights.columns, layer.allowsVector, draft) {
          layer.bias = bias
        } else if let function = try activation(of: next, draft) {
          layer.activation = function
        } else {
          continue
        }
        draft.nodes[index].operation = .codeDense(layer)
      default: continue
      }
      draft.nodes[index].outputs = [output]
      draft.nodes[reader].outputs = []
      isChanged = true
    }
    return isChanged
  }

  /// What an addition right behind a layer adds to its columns.
  private static func bias(
    _ addition: DraftNode, of result: Int, _ columns: Int, _ allowsVector: Bool, _ draft: Draft
  ) -> [Float]? {
    guard addition.isOperator("Add"), addition.inputs.count == 2 else { return nil }
    let other = addition.inputs[0] == result ? addition.inputs[1] : addition.inputs[0]
    // A constant of rank 2 would give a product of rank 1 another axis.
    guard let constant = draft.constant(other), constant.shape.count <= (allowsVector ? 1 : 2),
      constant.elementType == .float32
    else { return nil }
    return columnValues(constant, columns)
  }
}

extension DraftNode {
  /// Whether it quantises float32 to codes of that scale and zero point, dividing in float32.
  fileprivate func quantises(to tensor: QuantisedTensor, _ draft: Draft) -> Bool {
    guard isQuantisation, let input = input(0), draft.values[input].elementType == .float32,
      let output = output(0), let type = draft.values[output].elementType, type == tensor.type,
      let own = QuantisedTensor(scale: self.input(1), zero: self.input(2), type: type, draft),
      [0, 1].contains(origin.int("precision", default: 0)),
      origin.int("block_size", default: 0) == 0
    else { return false }
    return own.scale == tensor.scale && own.zero == tensor.zero
  }
}
