extension Lowering {
  /// Emits one call of a layer: a model's layers in turn, or the operators of the layer's rule.
  mutating func call(_ call: LayerCall, depth: Int) throws(FormatError) -> [LoweredValue] {
    guard depth <= limits.depth else {
      throw FormatError(.limit, "models nest deeper than \(limits.depth) levels", at: "layer \"\(call.scope)\"")
    }
    guard layers.count < limits.callCount else {
      throw FormatError(
        .limit, "the models call layers more than \(limits.callCount) times", at: "layer \"\(call.scope)\"")
    }
    let layerIndex = layers.count
    layers.append(LoweredLayer(layer: call.layer, scope: call.scope, depth: depth, outputs: []))
    var outputs: [LoweredValue]
    do throws(FormatError) {
      outputs = try emit(call, depth: depth)
    } catch {
      guard isTolerant else { throw error }
      problems.append(error)
      outputs = [opaque(call)]
    }
    layers[layerIndex].outputs = outputs
    return outputs
  }

  private mutating func emit(_ call: LayerCall, depth: Int) throws(FormatError) -> [LoweredValue] {
    let layer = call.layer
    if layer.isSequential { return try sequential(layer, input: call.input(), scope: call.scope, depth: depth + 1) }
    if layer.isFunctional { return try functional(layer, inputs: call.inputs, scope: call.scope, depth: depth + 1) }
    if layer.className == "InputLayer" { return call.inputs }
    guard let rule = KerasLayerTable.rule(for: layer) else { throw Self.unsupported(call) }
    if let name = layer.configuration.policy.quantizationMode {
      guard let mode = QuantizationMode(layer.configuration), rule.runs(mode) else {
        throw call.error(.unsupported, "the layer is quantised (\(name)), which is not run")
      }
    }
    if let extra = layer.weights.keys.first(where: { $0.hasPrefix("lora_") }) {
      throw call.error(.unsupported, "the layer keeps LoRA factors (\(extra)) beside its kernel, which are not applied")
    }
    try checkArguments(of: call, rule)
    var call = call
    call.depth = depth
    let mask = layer.isOperation ? nil : call.inputs.lazy.compactMap { [masks] in masks[$0.name] }.first
    if let mask, rule.usesMask {
      throw call.error(.unsupported, "it would apply the mask of \"\(mask)\"; masks are not run")
    }
    if rule.castsInputs {
      let compute = layer.configuration.policy.compute
      call.inputs = try call.inputs.mapTyped { (value) throws(FormatError) in
        try cast(value, to: compute, in: call, suffix: "input")
      }
    }
    let start = graph.nodes.count
    let outputs = rename(try rule.lower(call, &self), nodesFrom: start, in: call)
    if rule.makesMask(layer.configuration) {
      for output in outputs { masks[output.name] = call.scope }
    } else if let mask, rule.passesMask {
      for output in outputs { masks[output.name] = mask }
    }
    return outputs
  }

  /// Refuses arguments of a call that would change what the layer computes.
  private func checkArguments(of call: LayerCall, _ rule: any LayerRule.Type) throws(FormatError) {
    guard let arguments = call.arguments, !call.layer.isOperation else { return }
    for case .constant(let json) in arguments.arguments where !json.isNull {
      throw call.error(.unsupported, "it is called with the constant \(json.text().prefix(40))")
    }
    for (name, argument) in arguments.keywordArguments {
      switch (name, argument) {
      case ("training", .constant(let json)):
        // Keras 3 lets the mode of the whole model prevail over the one that a call states.
        guard json.bool == true, rule.dependsOnTraining, call.configuration.generation < 3 else { continue }
        throw call.error(.unsupported, "it is called with training=True, which is not run")
      case ("mask", .tensor) where rule.usesMask, ("mask", .list) where rule.usesMask:
        throw call.error(.unsupported, "it is called with a mask, which is not applied")
      case ("mask", _), (_, .tensor), (_, .list), (_, .constant(.null)): continue
      case (_, .constant(let json)):
        throw call.error(.unsupported, "it is called with \(name)=\(json.text().prefix(40))")
      }
    }
  }

  private static func unsupported(_ call: LayerCall) -> FormatError {
    switch call.layer.className {
    case "Lambda":
      return call.error(
        .refused, "the layer is Python code, which is never run", advice: "Replace it by layers of Keras")
    case let name where name.contains(">") || call.layer.module.map { !$0.hasPrefix("keras") } ?? false:
      return call.error(.unsupported, "the class \"\(name)\" is not one of Keras's own; its code is not in the file")
    case let name where call.layer.isOperation:
      return call.error(.unsupported, "the operation \"\(name)\" of keras.ops cannot be run")
    case let name:
      return call.error(
        .unsupported, "layers of class \"\(name)\" cannot be run", advice: UnsupportedLayers.alternative(to: name))
    }
  }

  /// A stand-in for a layer that cannot be lowered, with the shape of its output where that is known.
  private mutating func opaque(_ call: LayerCall) -> LoweredValue {
    let name = unique(call.scope)
    let shape = OpaqueShapes.outputShape(of: call)
    let type = InferredValue(elementType: call.configuration.policy.compute, shape: shape)
    graph.nodes.append(
      Node(name: name, call.layer.className, domain: "keras", inputs: call.inputs.map(\.name), outputs: [name]))
    inference.add(type, named: name)
    return LoweredValue(name: name, type: type)
  }
}
