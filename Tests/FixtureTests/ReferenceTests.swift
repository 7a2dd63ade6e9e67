import NNEngine
import NNFormat
import TestSupport
import Testing

/// The plan and the plain interpreter, which share no code, give the same numbers for every fixture.
@Suite struct ReferenceTests {
  @Test(arguments: Fixtures.rows(.predict)) func thePlainInterpreterAgrees(_ row: FixtureRow) throws {
    let model = try row.read().model()
    let network = try Network(model)
    let given = try row.referenceInputs(for: network.inputs)
    var inputs: [String: Tensor] = [:]
    for value in network.inputs {
      inputs[value.name] = try InputBinding.cast(try #require(given[value.name]), for: value)
    }
    let expected = try ReferenceInterpreter(model).run(inputs)
    let results = try network.run(inputs)
    #expect(results.map(\.name) == expected.map(\.name))
    for (result, reference) in zip(results, expected) {
      #expect(result.tensor.elementType == reference.tensor.elementType)
      let difference = try TensorComparison(result.tensor, expected: reference.tensor).relativeDifference
      #expect(difference <= row.tolerance, "\(result.name)")
    }
    for pair in try TensorComparison.pairs(expected, expected: try row.referenceOutputs()) {
      #expect(
        try TensorComparison(pair.actual, expected: pair.expected).relativeDifference <= row.tolerance, "\(pair.name)")
    }
  }
}
