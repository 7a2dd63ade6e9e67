import NNEngine
import NNFormat
import Testing

/// Outputs that a model does not ask for, by an empty name or by leaving them out at the end.
@Suite struct OmittedOutputTests {
  /// One small case for each operator and number of outputs, with as many outputs as the operator can have.
  static let cases: [OperatorCase] = {
    var seen: Set<String> = []
    var cases: [OperatorCase] = []
    for example in OperatorCases.all {
      let version = example.domain.isEmpty ? example.version : example.domain == "ai.onnx.ml" ? 4 : 1
      let schema = OperatorRegistry.schema(example.type, domain: example.domain, version: version)
      let most = min(max(schema?.outputCount.upperBound ?? 1, example.outputs), 4)
      for count in Set([example.outputs, most]) where count > 1 {
        guard seen.insert("\(example.type) \(example.domain) \(count)").inserted else { continue }
        var larger = example
        larger.outputs = count
        cases.append(larger)
      }
    }
    return cases
  }()

  /// What remains has the values that it has beside the others, or the node is refused with its name.
  @Test(arguments: cases) func remainingOutputsStayTheSame(_ example: OperatorCase) throws {
    let (sketch, inputs) = example.sketch
    let whole = try? sketch.run(inputs)
    for kept in 0..<(1 << example.outputs) - 1 {
      var partial = sketch
      let names = (0..<example.outputs).map { kept >> $0 & 1 == 1 ? "y\($0)" : "" }
      partial.graph.nodes[0].outputs = names
      partial.graph.outputs = names.filter { !$0.isEmpty }.map { Value(name: $0) }
      do {
        let results = try partial.run(inputs)
        guard let whole else { continue }
        let expected = whole.enumerated().filter { kept >> $0.offset & 1 == 1 }.map(\.element)
        #expect(results.count == expected.count)
        for (result, other) in zip(results, expected) {
          #expect(result.shape == other.shape && result.elementType == other.elementType, "\(example) \(names)")
        }
      } catch let error as EngineError {
        #expect(!error.message.isEmpty)
      } catch let error as FormatError {
        #expect(!error.message.isEmpty)
      }
    }
  }

  @Test func manyOperatorsHaveSeveralOutputs() { #expect(Set(Self.cases.map(\.type)).count > 10) }
}
