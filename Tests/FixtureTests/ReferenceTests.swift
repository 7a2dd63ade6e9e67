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
      #expect(try Self.agree(result.tensor, reference.tensor, row), "\(result.name)")
    }
    for pair in try TensorComparison.pairs(expected, expected: try row.referenceOutputs()) {
      #expect(try Self.agree(pair.actual, pair.expected, row), "\(pair.name)")
    }
  }

  /// Numbers of 8 bits may be one step apart: in double precision a tie of float32 is none.
  private static func agree(_ actual: Tensor, _ expected: Tensor, _ row: FixtureRow) throws -> Bool {
    let comparison = try TensorComparison(actual, expected: expected)
    let isCode = actual.elementType == .int8 || actual.elementType == .uint8
    return comparison.relativeDifference <= row.tolerance || (isCode && comparison.maximumDifference <= 1)
  }
}
