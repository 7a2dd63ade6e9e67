import NNFormat

/// One operand of attention: batches of heads of rows.
struct HeadLayout: Sendable {
  let batch: Int
  let heads: Int
  let rows: Int
  /// Elements of one row of one head.
  let size: Int
  let count: Int
  private let strides: (batch: Int, head: Int, row: Int)

  /// - Parameters:
  ///   - shape: (batch, heads, rows, size), or (batch, rows, heads x size).
  ///   - heads: the heads of a value of rank 3.
  init(_ shape: [Int], heads stated: Int) throws(EngineError) {
    count = try Extents.count(shape)
    switch shape.count {
    case 4:
      (batch, heads, rows, size) = (shape[0], shape[1], shape[2], shape[3])
      strides = (heads &* rows &* size, rows &* size, size)
    case 3 where stated > 0 && shape[2] % stated == 0:
      (batch, heads, rows, size) = (shape[0], stated, shape[1], shape[2] / stated)
      strides = (rows &* shape[2], size, shape[2])
    default: throw EngineError(.shapeMismatch, "\(Shape(shape)) does not consist of \(stated) heads")
    }
  }

  /// Where a row starts.
  @inline(__always) func start(_ batch: Int, _ head: Int, _ row: Int) -> Int {
    batch * strides.batch + head * strides.head + row * strides.row
  }
}

/// The extents of an Attention node, checked against each other.
struct AttentionExtents: Sendable {
  let query: HeadLayout
  let key: HeadLayout
  let value: HeadLayout
  /// Keys and values of the past, and all there are with the new ones.
  let past: Int
  let total: Int
  /// The shape of the mask with as many axes as the scores have; its last axis may be shorter.
  let mask: [Int]
  let outputShape: [Int]

  /// Queries that share the key of one head.
  var group: Int { query.heads / max(key.heads, 1) }
  var presentKeyShape: [Int] { [key.batch, key.heads, total, key.size] }
  var presentValueShape: [Int] { [key.batch, key.heads, total, value.size] }
  var scoreShape: [Int] { [query.batch, query.heads, query.rows, total] }

  /// The products of queries with keys and of probabilities with values.
  var cost: StepCost {
    .products(query.batch * query.heads, rows: query.rows, depth: total, columns: query.size + value.size)
  }

  init(_ inputs: StepInputs, _ form: AttentionForm) throws(EngineError) {
    let shape = try inputs.shape(0)
    query = try HeadLayout(shape, heads: form.queryHeads)
    key = try HeadLayout(inputs.shape(1), heads: form.keyHeads)
    value = try HeadLayout(inputs.shape(2), heads: form.keyHeads)
    let pastKey = form.hasPast ? try inputs.shape(4) : [key.batch, key.heads, 0, key.size]
    let pastValue = form.hasPast ? try inputs.shape(5) : [key.batch, key.heads, 0, value.size]
    past = pastKey.count == 4 ? pastKey[2] : 0
    let (sum, overflow) = past.addingReportingOverflow(key.rows)
    total = sum
    let lengths = form.hasLengths ? try inputs.shape(6) : [query.batch]
    guard !overflow, pastKey == [key.batch, key.heads, past, key.size],
      pastValue == [key.batch, key.heads, past, value.size], query.batch == key.batch, value.batch == key.batch,
      value.heads == key.heads, value.rows == key.rows, query.size == key.size,
      key.heads > 0 ? query.heads % key.heads == 0 : query.heads == 0,
      lengths == [query.batch]
    else { throw EngineError(.shapeMismatch, "queries, keys and values do not fit together") }
    let stated = form.hasMask ? try inputs.shape(3) : []
    mask = Array(repeating: 1, count: max(4 - stated.count, 0)) + stated
    outputShape =
      shape.count == 4
      ? [query.batch, query.heads, query.rows, value.size] : [query.batch, query.rows, query.heads &* value.size]
    let scores = [query.batch, query.heads, query.rows, total]
    guard mask.count == 4, (0..<3).allSatisfy({ mask[$0] == 1 || mask[$0] == scores[$0] }), mask[3] <= max(total, 1)
    else {
      throw EngineError(.shapeMismatch, "a mask of shape \(Shape(stated)) for scores of shape \(Shape(scores))")
    }
  }
}
