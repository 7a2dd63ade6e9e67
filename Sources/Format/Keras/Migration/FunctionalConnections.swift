import OrderedCollections

/// The connections of a Functional model before Keras 3, rewritten for layers that get other names or calls.
struct FunctionalConnections {
  /// The layer whose output stands for that of each old layer.
  private var outputs: [String: String] = [:]
  /// Models in models were numbered from 1 by TensorFlow's Keras, whose number 0 was the call on their own inputs.
  private var offsets: [String: Int] = [:]

  /// Looks at the layers of a model and at who refers to them.
  init(_ configuration: JSONValue, outputs: [String: String]) {
    self.outputs = outputs
    var calls: [String: Int] = [:]
    for layer in configuration["layers"]?.array ?? [] {
      guard let name = layer["name"]?.string ?? layer["config"]?["name"]?.string else { continue }
      calls[name] = layer["inbound_nodes"]?.array?.count ?? 0
    }
    let places = [configuration["output_layers"]] + (configuration["layers"]?.array ?? []).map { $0["inbound_nodes"] }
    for place in places {
      Self.visit(place ?? .null) { name, call in
        if let count = calls[name], count > 0, call >= count { offsets[name] = 1 }
      }
    }
  }

  /// The same JSON with each reference to a layer's output leading where that output is now.
  func rewritten(_ json: JSONValue) -> JSONValue {
    if let name = json[0]?.string, let call = json[1]?.int, json[2]?.int != nil, let output = outputs[name] {
      var elements = json.array ?? []
      elements[0] = .string(output)
      elements[1] = .int(max(0, call - offsets[name, default: 0]))
      if elements.count > 3 { elements[3] = rewritten(elements[3]) }
      return .array(elements)
    }
    if let elements = json.array { return .array(elements.map(rewritten)) }
    if let members = json.object { return .object(members.mapValues(rewritten)) }
    return json
  }

  /// The references of `input_layers` or `output_layers`. A single one in a list was a plain tensor before Keras 3, where
  /// it would be a list of one.
  func ends(_ json: JSONValue) -> JSONValue {
    let result = rewritten(json)
    return result.array?.count == 1 && result[0]?.array != nil ? result[0] ?? result : result
  }

  private static func visit(_ json: JSONValue, _ body: (String, Int) -> Void) {
    if let name = json[0]?.string, let call = json[1]?.int, json[2]?.int != nil { body(name, call) }
    for element in json.array ?? json.object.map({ Array($0.values) }) ?? [] { visit(element, body) }
  }
}
