/// The calls of a Functional model and their results so far.
struct FunctionalNetwork {
  typealias Key = CallNumbering.Key

  let layers: [KerasLayer]
  var results: [Key: [LoweredValue]] = [:]
  var visiting: Set<Key> = []
  private let numbering: CallNumbering
  private var needed: Set<Key>?

  init(_ model: KerasLayer) {
    layers = model.sublayers
    numbering = CallNumbering(model)
  }

  /// The call that a reference means; its layer is -1 when there is none of that name.
  func key(_ reference: KerasTensorReference, isOutput: Bool = false) -> Key {
    numbering.key(reference, isOutput: isOutput)
  }

  /// The call that a reference means.
  ///
  /// - Throws: `FormatError` of kind `malformed` when there is no such call.
  func existingKey(_ reference: KerasTensorReference, isOutput: Bool = false) throws(FormatError) -> Key {
    let key = key(reference, isOutput: isOutput)
    guard results[key] != nil || (key.layer >= 0 && layers[key.layer].calls.indices.contains(key.call)) else {
      throw FormatError(
        .malformed, "the configuration connects call \(reference.call) of \"\(reference.layer)\", which there is not",
        at: "model_config")
    }
    return key
  }

  /// An output of a call that has run.
  func value(_ key: Key, output: Int) throws(FormatError) -> LoweredValue {
    let outputs = results[key] ?? []
    guard outputs.indices.contains(output) else {
      throw FormatError(
        .malformed, "layer \"\(layers[key.layer].name)\" has no output \(output)", at: "model_config")
    }
    return outputs[output]
  }

  /// Whether the outputs depend on a call.
  mutating func isNeeded(_ key: Key, by outputs: [Key]) -> Bool {
    if let needed { return needed.contains(key) }
    var reached: Set<Key> = []
    var pending = outputs
    while let next = pending.popLast() {
      guard next.layer >= 0, layers[next.layer].calls.indices.contains(next.call), reached.insert(next).inserted else {
        continue
      }
      pending += layers[next.layer].calls[next.call].tensors.map { self.key($0) }
    }
    needed = reached
    return reached.contains(key)
  }
}
