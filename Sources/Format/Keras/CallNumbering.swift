/// Which call of a layer a reference in the configuration of a Functional model means.
///
/// Generations of Keras number calls differently. Models in models were numbered from 1 by TensorFlow's Keras, whose number
/// 0 was the call on their own inputs. Keras 3 numbers the calls of a Functional model from 1 where the model's outputs
/// refer to them, and only there.
struct CallNumbering {
  /// A call of a layer.
  struct Key: Hashable {
    /// The layer's position; -1 when there is none of that name.
    var layer: Int
    var call: Int
  }

  private let layers: [KerasLayer]
  private let positions: [String: Int]
  private let generation: Int
  /// What is taken off the call numbers of a layer.
  private var offsets: [Int: Int] = [:]

  /// Looks at the layers of a model and at who refers to them.
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

  /// The call that a reference means.
  ///
  /// - Parameter isOutput: whether the model's outputs refer.
  func key(_ reference: KerasTensorReference, isOutput: Bool = false) -> Key {
    guard let position = positions[reference.layer] else { return Key(layer: -1, call: 0) }
    var call = reference.call - offsets[position, default: 0]
    if generation >= 3, isOutput, layers[position].isFunctional, call > 0 { call -= 1 }
    return Key(layer: position, call: call)
  }

  /// The number that Keras 2 gives a call of a layer: models that know their input count from 1.
  func keras2Number(_ reference: KerasTensorReference, isOutput: Bool) -> Int {
    let key = key(reference, isOutput: isOutput)
    guard key.layer >= 0 else { return max(0, key.call) }
    let layer = layers[key.layer]
    let knowsInput = layer.isFunctional || (layer.isSequential && layer.sublayers.first?.className == "InputLayer")
    return max(0, key.call) + (knowsInput ? 1 : 0)
  }

  /// The number that Keras 3 gives a call of a layer.
  func keras3Number(_ reference: KerasTensorReference, isOutput: Bool) -> Int {
    let key = key(reference, isOutput: isOutput)
    let isShifted = isOutput && key.layer >= 0 && layers[key.layer].isFunctional
    return max(0, key.call) + (isShifted ? 1 : 0)
  }
}
