import NNFormat
import Testing

/// The schema table against the facts of the standard.
@Suite struct OperatorTableTests {
  @Test("every form of the standard has a row", arguments: standardForms.split(separator: "\n"))
  func form(line: Substring) throws {
    let fields = line.split(separator: " ")
    let version = try #require(Int(fields[1]))
    let schema = try #require(OperatorRegistry.schema(String(fields[0]), version: version))
    #expect(schema.sinceVersion == version)
    #expect(schema.inputCount == range(fields[2]))
    #expect(schema.outputCount == range(fields[3]))
    let attributes = schema.attributes.map { "\($0.name):\(letter($0.kind))\($0.isRequired ? "!" : "")" }
    #expect(attributes.sorted() == fields.dropFirst(4).map(String.init).sorted())
  }

  @Test("no row is stated twice or stands for a form that the standard lacks")
  func rows() {
    // Runtimes' optimizers write these into the standard domain.
    let written: Set = ["LayerNormalization 1", "SimplifiedLayerNormalization 1"]
    let names = Set(standardForms.split(separator: "\n").compactMap { $0.split(separator: " ").first }.map(String.init))
    var seen: Set<String> = []
    for schema in OperatorRegistry.all where schema.domain.isEmpty {
      if written.contains("\(schema.name) \(schema.sinceVersion)") { continue }
      #expect(names.contains(schema.name))
      #expect(seen.insert("\(schema.name) \(schema.sinceVersion)").inserted)
    }
    let forms = Set(
      standardForms.split(separator: "\n").map { $0.split(separator: " ").prefix(2).joined(separator: " ") })
    // These differ from the form before in what they mean, not in what they take.
    let meanings: Set = [
      "Equal 7", "LogSoftmax 11", "LogSoftmax 13", "Softmax 11", "Softmax 13", "Hardmax 11", "Hardmax 13", "Dropout 10",
      "Max 8", "Mean 8", "Min 8", "PRelu 7", "Pow 12", "Sum 8",
    ]
    #expect(seen.subtracting(forms).subtracting(meanings) == [])
  }

  @Test func lookup() {
    #expect(OperatorRegistry.schema("Gelu", version: 19) == nil)
    #expect(OperatorRegistry.schema("Gelu", domain: "ai.onnx", version: 26)?.sinceVersion == 20)
    #expect(OperatorRegistry.schema("Gelu", domain: "com.example", version: 26) == nil)
    #expect(OperatorRegistry.schema("Softmax", version: 12)?.sinceVersion == 11)
  }

  private func range(_ text: Substring) -> ClosedRange<Int>? {
    let ends = text.split(separator: "-")
    guard let first = ends.first.flatMap({ Int($0) }), let last = ends.last else { return nil }
    return first...(last == "*" ? Int(Int32.max) : Int(last) ?? first)
  }

  private func letter(_ kind: AttributeRule.Kind) -> String {
    switch kind {
    case .float: "f"
    case .int: "i"
    case .string: "s"
    case .tensor: "t"
    case .sparseTensor: "p"
    case .floats: "F"
    case .ints: "I"
    case .strings: "S"
    default: "?"
    }
  }
}
