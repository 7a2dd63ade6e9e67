import NNFormat

extension Fusion {
  /// Products of integers with a constant right side become integer dense layers, with the scales behind them: what
  /// dynamic quantisation writes, contributed operators whose parameters are constant, and rows that are quantised by their
  /// largest magnitude.
  ///
  /// - Parameter rank: the number of axes of a value, where it is known.
  package static func fuseIntegerProducts(
    _ draft: inout Draft, _ pool: ThreadPool, rank: (Int) -> Int?
  ) throws(EngineError) {
    let (consumers, producers) = (draft.consumers(), draft.producers())
    for index in draft.nodes.indices {
      let node = draft.nodes[index]
      let found: IntegerProduct?
      if node.isOperator("MatMulInteger") {
        found = matMulInteger(index, draft, consumers, producers, pool, rank)
      } else if node.isContributed("DynamicQuantizeMatMul") {
        found = dynamicMatMul(index, draft, pool)
      } else if node.isContributed("MatMulIntegerToFloat") {
        found = matMulToFloat(index, draft, producers, pool)
      } else if node.isOperator("QLinearMatMul") {
        found = qLinearMatMul(index, draft, pool)
      } else if node.isContributed("QGemm") {
        found = qGemm(index, draft, pool)
      } else {
        found = nil
      }
      guard let found else { continue }
      draft.nodes[found.last].operation = .integerDense(found.layer)
      draft.nodes[found.last].inputs = [found.input]
      // A node may stand in the way of the next one only while its result is read.
      if found.last != index { draft.nodes[index].outputs = [] }
    }
  }

  /// An integer dense layer, the value it reads and the node whose result it gives.
  private struct IntegerProduct {
    var layer: IntegerDense
    let input: Int
    let last: Int
  }

  /// A constant right side of 8 bits with constant zero points.
  private static func right(
    _ codes: Int?, zero: Int?, isTransposed: Bool = false, _ draft: Draft, _ pool: ThreadPool
  ) -> PackedByteMatrix? {
    guard let matrix = draft.constant(codes), matrix.shape.count == 2, matrix.count > 0,
      matrix.elementType == .int8 || matrix.elementType == .uint8, zero == nil || draft.constant(zero) != nil
    else { return nil }
    let zeros = draft.constant(zero)
    let columns = matrix.shape[isTransposed ? 0 : 1]
    guard zeros == nil || (zeros?.elementType == matrix.elementType && [1, columns].contains(zeros?.count)) else {
      return nil
    }
    // Without memory for it nothing is fused, and the steps that stay tell so.
    return try? unsafe PackedByteMatrix(
      depth: matrix.shape[isTransposed ? 1 : 0], columns: columns,
      source: matrix.base.assumingMemoryBound(to: UInt8.self), isTransposed: isTransposed,
      isSigned: matrix.elementType == .int8, zeros: zeros?.integers ?? [0], pool: pool)
  }

  /// One value for each column of a constant of rank 0 or 1.
  private static func scales(_ value: Int?, _ columns: Int, _ draft: Draft) -> [Float]? {
    guard let constant = draft.constant(value), constant.shape.count <= 1, constant.elementType == .float32 else {
      return nil
    }
    return columnValues(constant, columns)
  }

  // MARK: MatMulInteger

  private static func matMulInteger(
    _ index: Int, _ draft: Draft, _ consumers: [[Int]], _ producers: [Int: Int], _ pool: ThreadPool,
    _ rank: (Int) -> Int?
  ) -> IntegerProduct? {
    let node = draft.nodes[index]
    guard let cast = draft.soleReader(of: node.output(0), consumers), draft.nodes[cast].isOperator("Cast"),
      let floats = draft.nodes[cast].output(0), draft.values[floats].elementType == .float32,
      let scaling = draft.soleReader(of: floats, consumers), let codes = node.input(0),
      let columns = draft.constant(node.input(1))?.shape.last
    else { return nil }
    let scaled = draft.nodes[scaling]
    guard let other = scaled.inputs.first(where: { $0 != floats }) ?? nil else { return nil }
    if scaled.isOperator("Mul") {
      guard let source = producers[codes], draft.nodes[source].isOperator("DynamicQuantizeLinear"),
        draft.nodes[source].output(0) == codes, draft.nodes[source].output(2) == node.input(2),
        let input = draft.nodes[source].input(0), let scale = draft.nodes[source].output(1)
      else { return nil }
      // Factors that come one after the other are rounded in between, and do not become one.
      guard let product = producers[other], draft.nodes[product].isOperator("Mul"),
        draft.nodes[product].inputs.contains(scale)
      else { return nil }
      let constant = draft.nodes[product].inputs.first { $0 != scale } ?? nil
      guard let values = scales(constant, columns, draft),
        let weights = right(node.input(1), zero: node.input(3), draft, pool)
      else { return nil }
      return IntegerProduct(
        layer: IntegerDense(input: .dynamic, weights: weights, scales: values, allowsVector: true), input: input,
        last: scaling)
    }
    guard scaled.isOperator("Div"), scaled.input(0) == floats, node.input(2) == nil, node.input(3) == nil,
      let product = producers[other], draft.nodes[product].isOperator("Mul"),
      let rows = quantisedRows(codes, draft, producers, rank), draft.nodes[product].inputs.contains(rows.scale),
      let values = scales(draft.nodes[product].inputs.first { $0 != rows.scale } ?? nil, columns, draft),
      let weights = right(node.input(1), zero: nil, draft, pool)
    else { return nil }
    return IntegerProduct(
      layer: IntegerDense(
        input: .rows(highest: rows.highest, epsilon: rows.epsilon), weights: weights, scales: values,
        allowsVector: true), input: rows.input, last: scaling)
  }

  /// Cast(Clip(Round(x · s), -highest, highest)) to int8 with s = highest / (ReduceMax(Abs(x)) + epsilon) along the last
  /// axis.
  private static func quantisedRows(
    _ codes: Int, _ draft: Draft, _ producers: [Int: Int], _ rank: (Int) -> Int?
  ) -> (input: Int, scale: Int, highest: Float, epsilon: Float)? {
    func node(_ value: Int?, _ name: String) -> DraftNode? {
      guard let producer = value.flatMap({ producers[$0] }), draft.nodes[producer].isOperator(name) else { return nil }
      return draft.nodes[producer]
    }
    func number(_ value: Int?) -> Float? {
      guard let constant = draft.constant(value), constant.count == 1, constant.elementType == .float32 else {
        return nil
      }
      return constant.doubles?.first.map { Float($0) }
    }
    guard draft.values[codes].elementType == .int8, let cast = node(codes, "Cast"),
      let clip = node(cast.input(0), "Clip"), let low = number(clip.input(1)), let high = number(clip.input(2)),
      let round = node(clip.input(0), "Round"), let product = node(round.input(0), "Mul"), product.inputs.count == 2,
      let x = product.input(0), let scale = product.input(1), draft.values[x].elementType == .float32,
      let quotient = node(scale, "Div"), let highest = number(quotient.input(0)),
      let sum = node(quotient.input(1), "Add"), let epsilon = number(sum.input(1)),
      let largest = node(sum.input(0), "ReduceMax"), largest.origin.int("keepdims", default: 1) == 1,
      let size = node(largest.input(0), "Abs"), size.input(0) == x, let rank = rank(x),
      let axes = largest.origin.ints("axes") ?? draft.constant(largest.input(1))?.ints,
      axes == [-1] || axes == [rank - 1], low == -high, high == highest, (1...127).contains(high),
      high.rounded() == high
    else { return nil }
    return (x, scale, high, epsilon)
  }

  // MARK: Contributed operators

  private static func dynamicMatMul(_ index: Int, _ draft: Draft, _ pool: ThreadPool) -> IntegerProduct? {
    let node = draft.nodes[index]
    guard let input = node.input(0), draft.values[input].elementType == .float32,
      let weights = right(node.input(1), zero: node.input(3), draft, pool),
      let values = scales(node.input(2), weights.columns, draft)
    else { return nil }
    var layer = IntegerDense(input: .dynamic, weights: weights, scales: values, allowsVector: true)
    if let bias = node.input(4) {
      guard let values = scales(bias, weights.columns, draft) else { return nil }
      layer.bias = values
    }
    return IntegerProduct(layer: layer, input: input, last: index)
  }

  private static func matMulToFloat(
    _ index: Int, _ draft: Draft, _ producers: [Int: Int], _ pool: ThreadPool
  ) -> IntegerProduct? {
    let node = draft.nodes[index]
    guard let codes = node.input(0) else { return nil }
    let input: (value: Int, form: IntegerDense.Input)
    if let source = producers[codes].map({ draft.nodes[$0] }), source.isOperator("DynamicQuantizeLinear"),
      let scale = source.output(1), let zero = source.output(2), scale == node.input(2), zero == node.input(4),
      let x = source.input(0)
    {
      input = (x, .dynamic)
    } else if let type = draft.values[codes].elementType,
      let left = QuantisedTensor(scale: node.input(2), zero: node.input(4), type: type, draft)
    {
      input = (codes, .codes(scale: left.scale, zero: left.zero, isSigned: left.isSigned))
    } else {
      return nil
    }
    guard let weights = right(node.input(1), zero: node.input(5), draft, pool),
      let values = scales(node.input(3), weights.columns, draft)
    else { return nil }
    var layer = IntegerDense(input: input.form, weights: weights, scales: values, allowsVector: true)
    if let bias = node.input(6) {
      guard let values = scales(bias, weights.columns, draft) else { return nil }
      layer.bias = values
    }
    return IntegerProduct(layer: layer, input: input.value, last: index)
  }

  private static func qLinearMatMul(_ index: Int, _ draft: Draft, _ pool: ThreadPool) -> IntegerProduct? {
    let node = draft.nodes[index]
    guard let codes = node.input(0), let type = draft.values[codes].elementType,
      let left = QuantisedTensor(scale: node.input(1), zero: node.input(2), type: type, draft),
      let result = QuantisedTensor(scale: node.input(6), zero: node.input(7), type: nil, draft),
      let weights = right(node.input(3), zero: node.input(5), draft, pool),
      let values = scales(node.input(4), weights.columns, draft)
    else { return nil }
    // The definition has one factor for each column, so that nothing is left to divide by.
    var layer = IntegerDense(
      input: .codes(scale: 1, zero: left.zero, isSigned: left.isSigned), weights: weights,
      scales: values.map { left.scale * $0 / result.scale }, allowsVector: true)
    layer.rounding = IntegerDense.Rounding(scale: 1, zero: result.zero, type: result.type)
    return IntegerProduct(layer: layer, input: codes, last: index)
  }

  private static func qGemm(_ index: Int, _ draft: Draft, _ pool: ThreadPool) -> IntegerProduct? {
    let node = draft.nodes[index]
    guard node.origin.int("transA", default: 0) == 0, let codes = node.input(0),
      let type = draft.values[codes].elementType,
      let left = QuantisedTensor(scale: node.input(1), zero: node.input(2), type: type, draft),
      let weights = right(
        node.input(3), zero: node.input(5), isTransposed: node.origin.int("transB", default: 0) != 0, draft, pool),
      let values = scales(node.input(4), weights.columns, draft)
    else { return nil }
    let alpha = node.origin.float("alpha", default: 1)
    var factors = values.map { alpha * left.scale * $0 }
    var rounding: IntegerDense.Rounding?
    if let scale = node.input(7) {
      let zero = node.input(8)
      guard let result = QuantisedTensor(scale: scale, zero: zero, type: zero == nil ? type : nil, draft) else {
        return nil
      }
      factors = factors.map { $0 / result.scale }
      rounding = IntegerDense.Rounding(scale: 1, zero: result.zero, type: result.type)
    }
    var layer = IntegerDense(
      input: .codes(scale: 1, zero: left.zero, isSigned: left.isSigned), weights: weights, scales: factors,
      allowsVector: false)
    layer.rounding = rounding
    if let offset = node.input(6) {
      guard let constant = draft.constant(offset), constant.elementType == .int32,
        constant.shape.dropLast().allSatisfy({ $0 == 1 }), constant.count == weights.columns || constant.count == 1
      else { return nil }
      let values = constant.integers
      layer.offsets = values.count == weights.columns ? values : Array(repeating: values[0], count: weights.columns)
    }
    return IntegerProduct(layer: layer, input: codes, last: index)
  }
}
