import NNFormat
import Testing

/// A Functional model: entries of layers, its inputs and outputs as Keras 2 writes them.
private func functional(_ layers: [String], inputs: String, outputs: String) throws -> KerasModel {
  try kerasModel(
    "{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", \"layers\": [\(layers.joined(separator: ", "))], "
      + "\"input_layers\": \(inputs), \"output_layers\": \(outputs)}}", version: "2.15.0")
}

private func input(_ name: String, shape: String = "[null, 2]") -> String {
  #"{"class_name": "InputLayer", "name": "\#(name)", "config": {"name": "\#(name)", "batch_input_shape": \#(shape)}, "inbound_nodes": []}"#
}

private func layer(_ className: String, _ name: String, from sources: [String], configuration: String = "") -> String {
  let references = sources.map { "[\"\($0)\", 0, 0, {}]" }.joined(separator: ", ")
  return
    #"{"class_name": "\#(className)", "name": "\#(name)", "config": {"name": "\#(name)"\#(configuration)}, "inbound_nodes": [[\#(references)]]}"#
}

@Suite struct FunctionalTests {
  @Test func layersRunInTheOrderOfTheirArguments() throws {
    let model = try functional(
      [layer("Add", "sum", from: ["f", "a"]), layer("Flatten", "f", from: ["b"]), input("a"), input("b")],
      inputs: #"[["a", 0, 0], ["b", 0, 0]]"#, outputs: #"[["sum", 0, 0]]"#)
    #expect(try model.operators == ["Flatten", "Sum"])
    let graph = try model.lowered().graph
    #expect(graph.inputs.map(\.name) == ["a", "b"])
    #expect(graph.nodes[1].inputs == ["f", "a"])
  }

  @Test func inputsAndOutputsInEverySpelling() throws {
    let layers = [input("a"), layer("Flatten", "f", from: ["a"]), layer("Flatten", "g", from: ["a"])]
    for (inputs, outputs) in [
      (#"[["a", 0, 0]]"#, #"[["f", 0, 0], ["g", 0, 0]]"#),
      (#"["a", 0, 0]"#, #"{"one": ["f", 0, 0], "two": ["g", 0, 0]}"#),
      (#"{"a": ["a", 0, 0]}"#, #"[[["f", 0, 0]], [["g", 0, 0]]]"#),
    ] {
      let graph = try functional(layers, inputs: inputs, outputs: outputs).lowered().graph
      #expect(graph.inputs.map(\.name) == ["a"])
      #expect(graph.outputs.map(\.name) == ["f", "g"])
    }
  }

  @Test func anInputThatIsAnOutputGetsAnOperator() throws {
    let graph = try functional([input("a")], inputs: #"[["a", 0, 0]]"#, outputs: #"[["a", 0, 0], ["a", 0, 0]]"#)
      .lowered().graph
    #expect(graph.nodes.map(\.operatorType) == ["Identity", "Identity"])
    #expect(Set(graph.outputs.map(\.name) + ["a"]).count == 3)
  }

  @Test func aSharedLayerRunsOnceForEachCall() throws {
    let shared =
      #"{"class_name": "Flatten", "name": "f", "config": {"name": "f"}, "inbound_nodes": [[["a", 0, 0, {}]], [["b", 0, 0, {}]]]}"#
    let graph = try functional(
      [input("a"), input("b"), shared], inputs: #"[["a", 0, 0], ["b", 0, 0]]"#, outputs: #"[["f", 0, 0], ["f", 1, 0]]"#
    ).lowered().graph
    #expect(graph.nodes.map(\.inputs) == [["a"], ["b"]])
    #expect(graph.outputs.map(\.name) == ["f", "f:1"])
  }

  @Test func longChainsTakeNoDepth() throws {
    var layers = (0..<3000).reversed().map { layer("Flatten", "f\($0)", from: [$0 == 0 ? "a" : "f\($0 - 1)"]) }
    layers.append(input("a"))
    let model = try functional(layers, inputs: #"[["a", 0, 0]]"#, outputs: #"[["f2999", 0, 0]]"#)
    #expect(try model.operators.count == 3000)
  }

  /// Connections that lead nowhere, or in a circle.
  @Test(arguments: [
    ([layer("Flatten", "f", from: ["g"]), layer("Flatten", "g", from: ["f"])], "circle"),
    ([layer("Flatten", "f", from: ["f"])], "circle"), ([layer("Flatten", "f", from: ["none"])], "none"),
    (
      [
        layer("Flatten", "f", from: ["a"], configuration: ""),
        #"{"class_name": "Flatten", "name": "g", "config": {"name": "g"}, "inbound_nodes": [[["a", 7, 0, {}]]]}"#,
      ], "call 7"
    ),
    (
      [#"{"class_name": "Flatten", "name": "f", "config": {"name": "f"}, "inbound_nodes": [[["a", 0, 3, {}]]]}"#],
      "output 3"
    ),
    (
      [#"{"class_name": "Flatten", "name": "f", "config": {"name": "f"}, "inbound_nodes": [[["a", -1, 0, {}]]]}"#],
      "name the output"
    ),
    (
      [#"{"class_name": "Flatten", "name": "f", "config": {"name": "f"}, "inbound_nodes": [[[7]]]}"#], "name the output"
    ),
    ([layer("Flatten", "f", from: ["a", "a"])], "2 are connected"), ([layer("Subtract", "f", from: ["a"])], "1 inputs"),
    ([layer("Flatten", "g", from: ["a"])], "\"f\""),
  ]) func brokenConnections(_ layers: [String], word: String) {
    let error = #expect(throws: FormatError.self) {
      try functional([input("a")] + layers, inputs: #"[["a", 0, 0]]"#, outputs: #"[["f", 0, 0]]"#).lowered()
    }
    #expect(error.map { "\($0)".contains(word) } == true, "\(error?.description ?? "")")
  }

  @Test(arguments: [#"[["none", 0, 0]]"#, #"[[7, 0, 0]]"#, #"[["a", "x", 0]]"#]) func brokenInputs(_ inputs: String) {
    let error = #expect(throws: FormatError.self) {
      try functional([input("a"), layer("Flatten", "f", from: ["a"])], inputs: inputs, outputs: #"[["f", 0, 0]]"#)
        .lowered()
    }
    #expect(error?.kind == .malformed)
  }

  /// A nested model whose inputs name no layer of it must not feed layers that name none either.
  @Test func anInnerInputThatIsNoLayerIsRefused() {
    let inner =
      #"{"class_name": "Functional", "name": "in", "config": {"name": "in", "layers": [\#(layer("Flatten", "f", from: ["ghost"]))], "input_layers": [["phantom", 0, 0]], "output_layers": [["f", 0, 0]]}, "inbound_nodes": [[["a", 0, 0, {}]]]}"#
    let error = #expect(throws: FormatError.self) {
      try functional([input("a"), inner], inputs: #"[["a", 0, 0]]"#, outputs: #"[["in", 0, 0]]"#).lowered()
    }
    #expect(error?.kind == .malformed)
  }

  /// Each model calls the one inside of it twice: a small file for a billion layers.
  @Test func callsOfModelsInModelsAreBounded() throws {
    var inner = layer("Flatten", "f", from: ["a"])
    for level in 0..<30 {
      inner =
        #"{"class_name": "Functional", "name": "m\#(level)", "config": {"name": "m\#(level)", "layers": [\#(input("a")), \#(inner)], "input_layers": [["a", 0, 0]], "output_layers": [["\#(level == 0 ? "f" : "m\(level - 1)")", \#(level == 0 ? 0 : 1), 0]]}, "inbound_nodes": [[["a", 0, 0, {}]], [["m\#(level)", 0, 0, {}]]]}"#
    }
    let error = #expect(throws: FormatError.self) {
      try functional([input("a"), inner], inputs: #"[["a", 0, 0]]"#, outputs: #"[["m29", 1, 0]]"#).lowered()
    }
    #expect(error?.kind == .limit)
  }
}
