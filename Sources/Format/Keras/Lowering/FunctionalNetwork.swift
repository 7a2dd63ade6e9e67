/// The calls of a Functional model and their results so far.
struct FunctionalNetwork {
  /// A call of a layer.
  struct Key: Hashable {
    var layer: Int
    var call: Int
  }

  let layers: [KerasLayer]
  var results: [Key: [LoweredValue]] = [:]
  var visiting: Set<Key> = []
  private let positions: [String: Int]
  private let generation: Int
  /// What is taken off the call numbers of a layer: models in models were numbered from 1 by TensorFlow's Keras, since
  /// number 0 was the call on their own inputs.
  private var offsets: [Int: Int] = [:]
  private var needed: Set<Key>?

  init(_ model: KerasLayer) {
    layers = model.sublayers
    generation = model.configuration.generation
    positions = Dictionary(model.sublayers.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    guard generation < 3 else { return }
    let outputs = (try? CallParser.references(model.configuration["output_layers"], label: "")) ?? []
    var numbers: [Int: [Int]] = [:]
    for reference in model.sublayers.flatMap({ $0.calls.flatMap(\.tensors) }) + outputs {
      guard let position = positions[reference.layer], !layers[position].calls.isEmpty else { continue }
      numbers[position, default: []].append(reference.call)
    }
    for (position, calls) in numbers {
      let passesEnd = calls.contains { $0 >= layers[position].calls.count }
      let isModelFromOne = layers[position].isModel && !calls.contains(0)
      if passesEnd || isModelFromOne { offsets[position] = 1 }
    }
  }

  /// The call that a reference means; its layer is -1 when there is none of that name.
  ///
  /// - Parameter isOutput: whether the model's outputs refer. Keras 3 numbers the calls of a Functional model from 1
  ///   there, and only there.
  func key(_ reference: KerasTensorReference, isOutput: Bool = false) -> Key {
    guard let position = positions[reference.layer] else { return Key(layer: -1, call: 0) }
    var call = reference.call - offsets[position, default: 0]
    if generation >= 3, isOutput, layers[position].isFunctional, call > 0 { call -= 1 }
    return Key(layer: position, call: call)
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
