import NNEngine
import NNFormat
import Testing

@Suite struct OperatorTests {
  @Test(arguments: OperatorCases.all)
  func agreesWithReference(_ example: OperatorCase) throws {
    let (sketch, inputs) = example.sketch
    let named = Dictionary(uniqueKeysWithValues: zip(sketch.graph.inputs.map(\.name), inputs))
    let expected = try ReferenceInterpreter(sketch.model).run(named).map(\.tensor)
    for fusion in [true, false] {
      let actual = try sketch.run(inputs, options: EngineOptions(fusion: fusion))
      try expectClose(actual, expected, tolerance: example.tolerance, example.description)
    }
  }

  @Test func everyRowHasACase() {
    let covered = Set(OperatorCases.all.map(\.type))
    let missing = Set(OperatorTable.all.map(\.name)).subtracting(covered).subtracting(["CastLike"])
    #expect(missing.isEmpty)
  }
}
