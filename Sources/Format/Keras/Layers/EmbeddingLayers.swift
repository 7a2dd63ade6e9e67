/// `Embedding`: rows of a table by index.
enum EmbeddingRule: LayerRule {
  static let classNames = ["Embedding"]
  static let castsInputs = false

  static func variables(_ configuration: LayerConfiguration) -> [VariableRule] {
    [VariableRule("embeddings", aliases: ["W"])]
  }

  static func lower(_ call: LayerCall, _ lowering: inout Lowering) throws(FormatError) -> [LoweredValue] {
    let table = try lowering.weight("embeddings", in: call)
    guard table.rank == 2 else { throw call.error(.mismatch, "the table of rows has \(table.rank ?? 0) axes, not 2") }
    let indices = try lowering.cast(call.input(), to: .int32, in: call, suffix: "indices")
    return [try lowering.add("Gather", [table, indices], in: call, attributes: [Attribute("axis", .int(0))])]
  }
}
