import NNFormat
import TestSupport
import Testing

/// Models of Keras 3 written for Keras 2.
@Suite struct Keras2MigrationTests {
  private func migrated(_ name: String, in folder: TemporaryFolder) throws -> (
    model: KerasModel, report: ConversionReport
  ) {
    var conversion = Conversion()
    conversion.kerasGeneration = 2
    let report = try conversion.convert(try ModelFile.read(Fixtures.model(name)), to: folder.file("x.h5"))
    return (try kerasFile(folder.file("x.h5")), report)
  }

  @Test(arguments: ["nested.keras", "shared_model.keras", "several.h5", "digits.keras", "frozen.keras", "machine.h5"])
  func connectionsAndWeightsStay(_ name: String) throws {
    let (model, _) = try migrated(name, in: TemporaryFolder())
    let original = try kerasFile(Fixtures.model(name))
    #expect(model.generation == 2 && original.generation == 3)
    #expect(model.configuration?.text().contains("keras_history") == false)
    let (before, after) = (try original.lowered(), try model.lowered())
    #expect(after.graph.nodes.map(\.operatorType) == before.graph.nodes.map(\.operatorType))
    let expected = try WeightExchange.tensors(of: original).mapValues { try $0.denseBytes }
    #expect(try WeightExchange.tensors(of: model).mapValues { try $0.denseBytes } == expected)
  }

  @Test func whatKeras2DoesNotTakeIsReported() throws {
    let report = try migrated("trained_adam.keras", in: TemporaryFolder()).report
    #expect(report.notes.contains { $0.kind == .dropped && $0.subject == "training" })
  }

  @Test(arguments: ["operations.keras", "quantised_int8.keras", "activations.h5"]) func whatHasNoEqualIsNamed(
    _ name: String
  )
    throws
  {
    let folder = try TemporaryFolder()
    let error = #expect(throws: FormatError.self) { try migrated(name, in: folder) }
    #expect(error?.kind == .unsupported && error?.message.contains("Keras 2") == true)
    #expect(error?.place?.hasPrefix("layer ") == true)
  }
}
