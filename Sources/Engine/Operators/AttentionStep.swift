import NNFormat

/// softmax(query · key * scale + bias) · value for each head; a query that may look at nothing gives zeros.
///
/// Outputs: the result, all keys and values with those of the past, and the scores of a stage that the form names.
struct AttentionStep<T: RealScalar>: Step {
  let form: AttentionForm

  var outputTypes: [ElementType] { Array(repeating: T.elementType, count: 4) }
  var kernel: String { "attention" }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let extents = try AttentionExtents(inputs, form)
    let shapes = [extents.outputShape, extents.presentKeyShape, extents.presentValueShape, extents.scoreShape]
    for shape in shapes { _ = try Extents.count(shape) }
    let (bytes, overflow) = extents.total.multipliedReportingOverflow(by: 2 * MemoryLayout<Double>.stride)
    guard !overflow else { throw EngineError(.shapeMismatch, "\(extents.total) keys are too many") }
    let form = form
    return Work(shapes, scratchByteCount: bytes, cost: extents.cost) { (memory) throws(EngineError) in
      try AttentionRun<T>(form, extents, memory).run()
    }
  }
}

/// One run of attention over its memory.
private struct AttentionRun<T: RealScalar> {
  let form: AttentionForm
  let extents: AttentionExtents
  let memory: StepMemory
  /// The scores of one query, and what is added to them.
  let scores: MutableElements<Double>
  let bias: MutableElements<Double>

  init(_ form: AttentionForm, _ extents: AttentionExtents, _ memory: StepMemory) {
    self.form = form
    self.extents = extents
    self.memory = memory
    let scratch = unsafe memory.scratch.assumingMemoryBound(to: Double.self)
    scores = unsafe MutableElements(base: scratch, count: extents.total)
    bias = unsafe MutableElements(base: scratch + extents.total, count: extents.total)
  }

  func run() throws(EngineError) {
    if memory.hasOutput(1) { copy(extents.key, from: 1, past: 4, to: 1) }
    if memory.hasOutput(2) { copy(extents.value, from: 2, past: 5, to: 2) }
    let query = extents.query
    for batch in 0..<query.batch {
      let offset = form.hasLengths ? try length(batch) - query.rows : extents.past
      for head in 0..<query.heads {
        for row in 0..<query.rows {
          let isBlind = try addBias(batch, head, row, offset: offset)
          score(batch, head, row)
          show(.product, batch, head, row)
          if form.cap > 0 {
            for key in 0..<extents.total { scores[key] = form.cap * Double.tanh(scores[key] / form.cap) }
          }
          show(.capped, batch, head, row)
          for key in 0..<extents.total { scores[key] += bias[key] }
          show(.biased, batch, head, row)
          normalize(isBlind: isBlind)
          show(.probabilities, batch, head, row)
          mix(batch, head, row)
        }
      }
    }
  }

  private func length(_ batch: Int) throws(EngineError) -> Int {
    let length = memory.indices(6, .int64, count: extents.query.batch)[batch]
    guard length >= 0, length <= extents.total else {
      throw EngineError(.invalidInput, "\(length) keys are said to be there, there are \(extents.total)")
    }
    return length
  }

  /// Joins the past and the new rows of keys or values.
  private func copy(_ layout: HeadLayout, from input: Int, past: Int, to output: Int) {
    let target = memory.output(output, T.self, count: layout.batch * layout.heads * extents.total * layout.size)
    for batch in 0..<layout.batch {
      for head in 0..<layout.heads {
        for row in 0..<extents.total {
          let (source, start) = self.row(row, batch, head, layout, input, past)
          let place = ((batch * layout.heads + head) * extents.total + row) * layout.size
          for index in 0..<layout.size { target[place + index] = source[start + index] }
        }
      }
    }
  }

  /// The elements among which a row of keys or values lies, and where it starts.
  @inline(__always)
  private func row(
    _ row: Int, _ batch: Int, _ head: Int, _ layout: HeadLayout, _ input: Int, _ past: Int
  ) -> (Elements<T>, Int) {
    guard row < extents.past else {
      return (memory.input(input, T.self, count: layout.count), layout.start(batch, head, row - extents.past))
    }
    let count = layout.batch * layout.heads * extents.past * layout.size
    return (
      memory.input(past, T.self, count: count),
      ((batch * layout.heads + head) * extents.past + row) * layout.size
    )
  }

  /// Fills the bias of a query.
  ///
  /// - Returns: whether no key is left to look at.
  private func addBias(_ batch: Int, _ head: Int, _ row: Int, offset: Int) throws(EngineError) -> Bool {
    let present = form.hasLengths ? try length(batch) : extents.total
    let mask = extents.mask
    let line =
      ((mask[0] == 1 ? 0 : batch) * mask[1] + (mask[1] == 1 ? 0 : head)) * mask[2] + (mask[2] == 1 ? 0 : row)
    let maskCount = Extents.product(mask)
    var isBlind = true
    for key in 0..<extents.total {
      var value = 0.0
      if form.hasMask {
        if key >= mask[3] {
          value = -.infinity
        } else if form.maskIsBoolean {
          value = memory.input(3, UInt8.self, count: maskCount)[line * mask[3] + key] != 0 ? 0 : -.infinity
        } else {
          value = Double(memory.input(3, T.self, count: maskCount)[line * mask[3] + key])
        }
      }
      if key >= present || !form.allows(query: row + offset, key: key) { value = -.infinity }
      bias[key] = value
      isBlind = isBlind && value == -.infinity
    }
    return isBlind
  }

  private func score(_ batch: Int, _ head: Int, _ row: Int) {
    let (query, key) = (extents.query, extents.key)
    let source = memory.input(0, T.self, count: query.count)
    let start = query.start(batch, head, row)
    let scale = form.scale ?? 1 / Double(query.size).squareRoot()
    for place in 0..<extents.total {
      let (other, first) = self.row(place, batch, head / extents.group, key, 1, 4)
      var sum = 0.0
      for index in 0..<query.size { sum += Double(source[start + index]) * Double(other[first + index]) }
      scores[place] = sum * scale
    }
  }

  private func normalize(isBlind: Bool) {
    var highest = -Double.infinity
    for key in 0..<extents.total { highest = Double.maximum(highest, scores[key]) }
    var sum = 0.0
    for key in 0..<extents.total {
      scores[key] = isBlind || highest == -.infinity ? 0 : Double.exp(scores[key] - highest)
      sum += scores[key]
    }
    if sum != 0 { for key in 0..<extents.total { scores[key] /= sum } }
  }

  private func show(_ stage: AttentionForm.Shown, _ batch: Int, _ head: Int, _ row: Int) {
    guard form.shown == stage, memory.hasOutput(3) else { return }
    let line = (batch * extents.query.heads + head) * extents.query.rows + row
    let target = memory.output(3, T.self, count: Extents.product(extents.scoreShape))
    for key in 0..<extents.total { target[line * extents.total + key] = T(scores[key]) }
  }

  /// The values weighted by the probabilities.
  private func mix(_ batch: Int, _ head: Int, _ row: Int) {
    let (query, value) = (extents.query, extents.value)
    let target = memory.output(0, T.self, count: Extents.product(extents.outputShape))
    let isFlat = extents.outputShape.count == 3
    let start =
      isFlat
      ? ((batch * query.rows + row) * query.heads + head) * value.size
      : ((batch * query.heads + head) * query.rows + row) * value.size
    for index in 0..<value.size {
      var sum = 0.0
      for place in 0..<extents.total where scores[place] != 0 {
        let (source, first) = self.row(place, batch, head / extents.group, value, 2, 5)
        sum += scores[place] * Double(source[first + index])
      }
      target[start + index] = T(sum)
    }
  }
}
