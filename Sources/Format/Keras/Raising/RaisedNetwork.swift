import OrderedCollections

/// Raised layers as the configuration and the weights of a Keras file.
struct RaisedNetwork {
  let name: String
  let layers: [RaisedLayer]
  /// The positions of the output layers.
  let outputs: [Int]
  /// 2 or 3.
  let generation: Int

  private let isSequential: Bool

  init(name: String, layers: [RaisedLayer], outputs: [Int], generation: Int) {
    (self.name, self.layers, self.outputs, self.generation) = (name, layers, outputs, generation)
    isSequential =
      outputs == [layers.count - 1] && layers.first?.className == "InputLayer"
      && layers.indices.dropFirst().allSatisfy {
        layers[$0].inputs == [$0 - 1] && !layers[$0].isMerge && layers[$0].operation == nil
      }
  }

  /// The model's configuration.
  var configuration: JSONValue {
    let inputs = layers.indices.filter { layers[$0].className == "InputLayer" }
    var content: OrderedDictionary<String, JSONValue> = ["name": .string(name), "trainable": true]
    if generation == 2 { content["trainable"] = nil }
    content["layers"] = .array(layers.indices.map { json($0) })
    if isSequential {
      if generation == 2 { content["build_input_shape"] = shape(layers[0]) }
      return object("Sequential", content)
    }
    content["input_layers"] = references(inputs)
    content["output_layers"] = references(outputs)
    return object("Functional", content)
  }

  /// Keras 3 says where a class is from.
  private func object(_ className: String, _ content: OrderedDictionary<String, JSONValue>) -> JSONValue {
    if generation == 2 { return ["class_name": .string(className), "config": .object(content)] }
    let module =
      className == "Functional" ? "keras.src.models.functional" : className == "Sequential" ? "keras" : "keras.layers"
    return [
      "module": .string(module), "class_name": .string(className), "config": .object(content), "registered_name": .null,
    ]
  }

  /// The layers that a model takes or gives: Keras 3 writes a single one without a list, and returns it so.
  private func references(_ positions: [Int]) -> JSONValue {
    let list = positions.map { JSONValue.array([.string(layers[$0].name), 0, 0]) }
    return generation == 3 && list.count == 1 ? list[0] : .array(list)
  }

  private func shape(_ layer: RaisedLayer) -> JSONValue {
    .array((layer.inputShape ?? layer.outputShape).map { $0.map(JSONValue.int) ?? .null })
  }

  private func json(_ position: Int) -> JSONValue {
    let layer = layers[position]
    var content: OrderedDictionary<String, JSONValue> = ["name": .string(layer.name)]
    if layer.className == "InputLayer" {
      content[generation == 2 ? "batch_input_shape" : "batch_shape"] = shape(layer)
      content["dtype"] = .string(layer.elementType.name)
      content["sparse"] = false
    } else if layer.operation != nil {
      content.merge(layer.configuration) { _, new in new }
    } else {
      // Its constructor takes no such argument.
      if layer.className != "Discretization" { content["trainable"] = true }
      content["dtype"] = .string(layer.elementType.name)
      content.merge(layer.configuration) { _, new in new }
    }
    guard case .object(var members) = placed(object(layer.className, content), layer) else { return .null }
    if let operation = layer.operation {
      members["module"] = .string(operation.module)
      members["registered_name"] = .string(layer.className)
    }
    if !isSequential {
      members["name"] = .string(layer.name)
      members["inbound_nodes"] = calls(layer)
    }
    return .object(members)
  }

  /// The layer, inside of a `TimeDistributed` where it is applied to steps.
  private func placed(_ json: JSONValue, _ layer: RaisedLayer) -> JSONValue {
    guard layer.steps != nil, case .object(var members) = json, case .object(var content)? = members["config"] else {
      return json
    }
    content["name"] = .string("\(layer.name)_step")
    members["config"] = .object(content)
    // Keras 3 asks for the module of a layer inside of another in legacy files, too.
    members["module"] = "keras.layers"
    members["registered_name"] = .null
    return object(
      "TimeDistributed",
      [
        "name": .string(layer.name), "trainable": true, "dtype": .string(layer.elementType.name),
        "layer": .object(members),
      ])
  }

  private func calls(_ layer: RaisedLayer) -> JSONValue {
    if layer.inputs.isEmpty { return [] }
    if generation == 2 {
      return [.array(layer.inputs.map { .array([.string(layers[$0].name), 0, 0, .object([:])]) })]
    }
    let tensors = layer.inputs.map { position -> JSONValue in
      [
        "class_name": "__keras_tensor__",
        "config": [
          "shape": shape(layers[position]), "dtype": .string(layers[position].elementType.name),
          "keras_history": .array([.string(layers[position].name), 0, 0]),
        ],
      ]
    }
    let arguments: [JSONValue] =
      layer.operation?.arguments.map {
        switch $0 {
        case .input(let place): tensors[place]
        case .constant(let json): json
        }
      } ?? (layer.isMerge ? [.array(tensors)] : tensors)
    return [["args": .array(arguments), "kwargs": .object([:])]]
  }

  /// The weights as Keras 2 groups them.
  var groups: [KerasWeightGroup] {
    layers.map { layer in
      let place = "/model_weights/\(layer.name)"
      return KerasWeightGroup(
        name: layer.name, path: place,
        weights: layer.weights.map { weight in
          let name = "\(layer.name)/\(weight.name):0"
          return KerasWeight(name: name, path: "\(place)/\(name)", value: .success(weight.tensor))
        })
    }
  }

  /// The weights as Keras 3 groups them.
  var tree: WeightTree {
    var tree = WeightTree(path: "/")
    var counts: [String: Int] = [:]
    for layer in layers where layer.operation == nil {
      let stem = KerasConfigurationParser.snakeCase(layer.steps == nil ? layer.className : "TimeDistributed")
      let count = counts[stem, default: 0]
      counts[stem] = count + 1
      let group = count == 0 ? stem : "\(stem)_\(count)"
      let place = ["layers", group] + (layer.steps == nil ? [] : ["layer"])
      tree.descend(place[...]) { node in
        node.layerName = layer.steps == nil ? layer.name : "\(layer.name)_step"
        node.variables = layer.weights.enumerated().map { index, weight in
          KerasWeight(
            name: String(index), path: "/\(place.joined(separator: "/"))/vars/\(index)", value: .success(weight.tensor))
        }
      }
    }
    return tree
  }
}
