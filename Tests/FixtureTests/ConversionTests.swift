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
      if row.name.contains("float8"), version < 19 {
        // Older sets have no such type.
        let error = #expect(throws: FormatError.self) { try keras.lowered(operatorSetVersion: version) }
        #expect(error?.kind == .unsupported)
        continue
      }
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
    let lowered = try raised.lowered()
    guard lowered.graph.outputs.count == model.graph.outputs.count else {
      // The labels of scikit-learn's classifiers have no layer and are cut off.
      #expect(row.name.hasPrefix("sklearn_"))
      return
    }
    let difference = try ModelEquivalence(model, lowered).relativeDifference
    #expect(difference <= (row.name.contains("float16") ? 2e-2 : 1e-5))
  }

  /// Without the sidecar, layers come back from their operators as the classes that they were.
  @Test(arguments: [
    "activation_forms.h5", "prelu.h5", "einsum.keras", "masking.keras", "scaled.keras", "resized.keras",
    "open_extents.keras", "encodings.keras", "lookups.keras", "tables.keras", "tf_wrappers.h5",
  ]) func layersComeBackAsTheyWere(_ name: String) throws {
    guard case .keras(let original) = try ModelFile.read(Fixtures.model(name)).content else { return }
    let raised = try KerasModel.raised(from: try original.lowered(), layout: .archive).model
    let layers = Dictionary((raised.root?.sublayers ?? []).map { ($0.name, $0) }) { first, _ in first }
    // Several spellings of one layer, and layers of layers that a plain one does as well.
    let equals = [
      "EinsumDense": ["Dense"], "SpectralNormalization": ["Dense"], "TimeDistributed": ["Dense"],
      "ThresholdedReLU": ["ReLU"], "ReLU": ["Activation", "LeakyReLU"], "ELU": ["Activation"],
      "Softmax": ["Activation"], "IntegerLookup": ["CategoryEncoding"],
    ]
    for layer in original.root?.sublayers ?? [] where !["InputLayer", "Activation"].contains(layer.className) {
      guard let back = layers[layer.name], back.className != layer.className else { continue }
      #expect(
        equals[layer.className]?.contains(back.className) == true || back.className == layer.sublayers.first?.className,
        "\(layer.name) was a \(layer.className) and is a \(back.className)")
    }
    #expect(layers.count >= original.root?.sublayers.count(where: { !$0.isModel }) ?? 0)
  }

  @Test func activationsComeBackAsTheyWere() throws {
    guard case .keras(let original) = try ModelFile.read(Fixtures.model("dense_each.keras")).content else { return }
    let raised = try KerasModel.raised(from: try original.lowered(), layout: .archive).model
    var seen = 0
    for layer in raised.root?.sublayers ?? [] {
      guard let wanted = original.root?.sublayers.first(where: { $0.name == layer.name })?.configuration["activation"],
        let name = wanted.string
      else { continue }
      seen += 1
      #expect(layer.configuration["activation"]?.string == (name == "silu" ? "swish" : name), "\(layer.name)")
    }
    #expect(seen >= 28)
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
