/// `Embedding`: rows of a table by index.
enum EmbeddingRule: LayerRule {
  static let classNames = ["Embedding"]
  static let castsInputs = false
  static let passesMask = false

  static func makesMask(_ configuration: LayerConfiguration) -> Bool { configuration["mask_zero"]?.bool == true }

  static func variables(_ configuration: LayerConfiguration) -> [VariableRule] {
    if let mode = QuantizationMode(configuration) { return mode.variables(matrix: "embeddings", usesBias: false) }
    return [VariableRule("embeddings", aliases: ["W"])]
  }

  static func runs(_ mode: QuantizationMode) -> Bool { mode.kind == .int8 || mode.kind == .int4 }

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    if let mode = QuantizationMode(call.configuration) {
      let indices = try lowering.cast(call.input(), to: .int32, in: call, suffix: "indices")
      let width = try call.configuration.int("output_dim")
      return [try lowering.quantizedRows(indices, mode, width: width, in: call)]
    }
    let table = try lowering.weight("embeddings", in: call)
    guard table.rank == 2 else { throw call.error(.mismatch, "the table of rows has \(table.rank ?? 0) axes, not 2") }
    let indices = try lowering.cast(call.input(), to: .int32, in: call, suffix: "indices")
    return [try lowering.add("Gather", [table, indices], in: call, attributes: [Attribute("axis", .int(0))])]
  }
}

extension EmbeddingRule: RaisingRule {
  static let operators: Set = ["Gather"]

  static func raise(_ node: Node, _ raising: inout Raising) throws(FormatError) -> Bool {
    guard node.inputs.count == 2, let table = raising.constant(node, 0), table.shape.count == 2,
      node.int("axis", default: 0) == 0, let index = index(node.inputs[1], rows: table.shape[0], raising)
    else { return false }
    raising.emit(
      "Embedding", ["input_dim": .int(table.shape[0]), "output_dim": .int(table.shape[1])],
      weights: [("embeddings", table)], inputs: [index], as: node.outputs[0], of: node,
      weightName: node.inputs[0])
    return true
  }

  /// The layer that gives the rows' numbers. Keras counts negative ones from the end, as its exporter writes out:
  /// `x < 0 ? x + rows : x`.
  private static func index(_ name: String, rows: Int, _ raising: Raising) -> RaisedValue? {
    if let node = raising.producer(of: name), let selection = Selection(node, raising),
      let (compared, limit) = selection.threshold(["Less"], raising), limit == 0,
      let sum = raising.producer(of: selection.whenTrue), sum.operatorType == "Add",
      sum.inputs.contains(selection.whenFalse),
      raising.number(sum, 0) ?? raising.number(sum, 1) == Double(rows),
      compared == selection.whenFalse || raising.producer(of: compared)?.inputs == [selection.whenFalse]
    {
      return raising.values[selection.whenFalse]
    }
    return raising.values[name]
  }
}
