import NNFormat

extension Fusion {
  /// A layer whose result the next one quantises by its range finds that range while it stores the result, so that it is not
  /// read once more.
  package static func shareRanges(_ draft: inout Draft) {
    let producers = draft.producers()
    for index in draft.nodes.indices {
      guard case .integerDense(let layer) = draft.nodes[index].operation, case .dynamic = layer.input,
        let input = draft.nodes[index].input(0), let producer = producers[input],
        case .integerDense(var source) = draft.nodes[producer].operation, source.canGiveRange
      else { continue }
      if !source.givesRange {
        source.givesRange = true
        draft.nodes[producer].operation = .integerDense(source)
        draft.nodes[producer].outputs = [input, draft.addValue("range of \(draft.values[input].name)", type: .float32)]
      }
      draft.nodes[index].inputs = [input, draft.nodes[producer].outputs[1]]
    }
  }
}
