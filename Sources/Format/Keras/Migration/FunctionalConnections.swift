/// The connections of a Functional model before Keras 3, rewritten for layers that get other names or calls.
struct FunctionalConnections {
  private let outputs: [String: String]
  private let numbering: CallNumbering

  /// Connections between the layers of a model.
  ///
  /// - Parameter outputs: the layer whose output stands for that of each old layer.
  init(_ model: KerasLayer, outputs: [String: String]) {
    self.outputs = outputs
    numbering = CallNumbering(model)
  }

  /// The same JSON with each reference to a layer's output leading where that output is now.
  func rewritten(_ json: JSONValue, isOutput: Bool = false) -> JSONValue {
    if let reference = try? CallParser.reference(json, label: ""), let output = outputs[reference.layer] {
      var elements = json.array ?? []
      elements[0] = .string(output)
      elements[1] = .int(numbering.keras3Number(reference, isOutput: isOutput))
      if elements.count > 3 { elements[3] = rewritten(elements[3]) }
      return .array(elements)
    }
    if let elements = json.array { return .array(elements.map { rewritten($0, isOutput: isOutput) }) }
    if let members = json.object { return .object(members.mapValues { rewritten($0, isOutput: isOutput) }) }
    return json
  }

  /// The references of `input_layers` or `output_layers`. A single one in a list was a plain tensor before Keras 3, where
  /// it would be a list of one.
  func ends(_ json: JSONValue, isOutput: Bool) -> JSONValue {
    let result = rewritten(json, isOutput: isOutput)
    return result.array?.count == 1 && result[0]?.array != nil ? result[0] ?? result : result
  }
}
