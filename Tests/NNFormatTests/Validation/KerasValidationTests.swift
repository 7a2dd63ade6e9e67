import NNFormat
import TestSupport
import Testing

/// What validation says of Keras files.
@Suite struct KerasValidationTests {
  private static func errors(_ findings: [Finding]) -> [String] {
    findings.filter { $0.severity == .error }.map(\.code)
  }

  @Test(arguments: Fixtures.rows(.predict)) func filesThatRunAreValid(_ row: FixtureRow) throws {
    #expect(Self.errors(ModelValidator.findings(in: try row.read())).isEmpty)
  }

  @Test(arguments: [
    ("lambda.keras", "lambda-layer"), ("missing_dataset.keras", "missing-weights"), ("wrong_shape.h5", "invalid-layer"),
    ("wrong_shape.keras", "invalid-layer"), ("external_link.h5", "refused-link"), ("unbuilt.h5", "missing-weights"),
  ])
  func brokenFixturesAreFound(file: String, code: String) throws {
    #expect(Self.errors(ModelValidator.findings(in: try ModelFile.read(Fixtures.model(file)))).contains(code))
  }

  @Test func damagedWeightsAreFoundOnlyWhenRead() throws {
    let file = try ModelFile.read(Fixtures.model("nan_weights.h5"))
    #expect(ModelValidator.findings(in: file).contains { $0.code == "nan-weights" && $0.severity == .warning })
    #expect(!ModelValidator.findings(in: file, readingWeights: false).contains { $0.code == "nan-weights" })
  }

  @Test func namesAreUniqueAndCallsReachLayers() throws {
    func layer(_ name: String, _ inbound: String) -> String {
      "{\"class_name\": \"Activation\", \"name\": \"\(name)\", "
        + "\"config\": {\"name\": \"\(name)\", \"activation\": \"relu\"}, "
        + "\"inbound_nodes\": [\(inbound)]}"
    }
    func findings(_ layers: String...) throws -> [Finding] {
      let input =
        "{\"class_name\": \"InputLayer\", \"name\": \"x\", \"config\": {\"name\": \"x\", \"batch_shape\": [null, 4]}, "
        + "\"inbound_nodes\": []}"
      let model = try kerasModel(
        "{\"class_name\": \"Functional\", \"config\": {\"name\": \"m\", "
          + "\"layers\": [\(([input] + layers).joined(separator: ", "))], "
          + "\"input_layers\": [[\"x\", 0, 0]], \"output_layers\": [[\"a\", 0, 0]]}}", version: "2.15.0")
      return ModelValidator.findings(in: ModelFile(path: "memory", content: .keras(model)))
    }
    let sound = layer("a", "[[\"x\", 0, 0, {}]]")
    #expect(try Self.errors(findings(sound)).isEmpty)
    #expect(try Self.errors(findings(sound, sound)).contains("duplicate-layer-name"))
    #expect(try Self.errors(findings(sound, layer("b", "[[\"gone\", 0, 0, {}]]"))).contains("unknown-layer"))
    #expect(try findings(sound, layer("b", "")).map(\.code).contains("unconnected-layer"))
  }
}
