import NNEngine
import NNFormat
import TestSupport
import Testing

/// Every operator set, and layers that are raised again, compute what the original computes.
@Suite struct ConversionTests {
  @Test(arguments: Fixtures.rows(.predict)) func everyOperatorSetComputesTheSame(_ row: FixtureRow) throws {
    guard case .keras(let keras) = try row.read().content else { return }
    let expected = try keras.lowered()
    for version in [13, 14, 15, 17, 18, 20, 22, 24, 28] {
      let model = try keras.lowered(operatorSetVersion: version)
      #expect(model.operatorSetVersion() == version)
      // Half precision rounds each operator, and older forms have more of them.
      let isNarrow = row.name.contains("float16")
      #expect(
        try ModelEquivalence(expected, model).relativeDifference <= (isNarrow ? 2e-2 : 2e-6), "operator set \(version)")
    }
  }

  @Test(arguments: [12, 29, -1]) func otherOperatorSetsAreRefused(_ version: Int) throws {
    guard case .keras(let keras) = try ModelFile.read(Fixtures.model("digits.keras")).content else { return }
    #expect(throws: FormatError.self) { try keras.lowered(operatorSetVersion: version) }
  }

  @Test(arguments: Fixtures.rows(.predict), [KerasModel.Layout.legacyModel, .archive])
  func raisedLayersComputeTheSame(_ row: FixtureRow, layout: KerasModel.Layout) throws {
    let model = try row.read().model()
    let raised: KerasModel
    do throws(FormatError) {
      raised = try KerasModel.raised(from: model, layout: layout).model
    } catch {
      // What has no layer is refused by the name of a node.
      #expect(error.kind == .unsupported && error.place?.hasPrefix("node ") == true, "\(error)")
      return
    }
    let difference = try ModelEquivalence(model, try raised.lowered()).relativeDifference
    #expect(difference <= (row.name.contains("float16") ? 2e-2 : 1e-5))
  }

  @Test(arguments: ["digits.keras", "digits.h5"]) func denseNetworksRaiseToDenseLayers(_ name: String) throws {
    let model = try ModelFile.read(Fixtures.model(name)).model()
    let raised = try KerasModel.raised(from: model, layout: .archive).model
    let layers = raised.root?.sublayers ?? []
    #expect(raised.root?.isSequential == true)
    #expect(Set(layers.map(\.className)).isSubset(of: ["InputLayer", "Flatten", "Dense", "Dropout", "Rescaling"]))
    #expect(layers.last?.configuration["activation"]?.string != nil)
  }
}
