import NNEngine
import NNFormat
import OrderedCollections
import TestSupport
import Testing

/// Configurations of real files with something changed in them: they run or are refused, and nothing ends the program.
@Suite struct MutationTests {
  private static let names = [
    "nested.keras", "shared.h5", "merges.h5", "activation_forms.h5", "normalisation.keras", "preprocessing.keras",
    "shapes.h5",
    "dots.keras", "embedding.h5", "prelu.h5", "tf_machine.h5", "tf_several.keras", "noise.h5", "keras2_functional.h5",
    "keras1_whole.h5", "lstm.h5", "conv2d.h5", "quantised_int8.keras", "called.keras", "dictionary.keras",
    "einsum.keras", "masking.keras", "scaled.keras", "wrappers.keras", "tf_wrappers.h5", "resized.keras",
    "encodings.keras", "lookups.keras", "tables.keras", "quantised_einsum_int4.keras", "quantised_einsum_int8.h5",
  ]

  @Test(arguments: names) func changedConfigurationsAreTypedErrors(_ name: String) throws {
    guard case .keras(let original) = try ModelFile.read(Fixtures.model(name)).content,
      let configuration = original.configuration
    else {
      Issue.record("no configuration")
      return
    }
    var numbers = SeededNumbers(name.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) })
    var refused = 0
    for _ in 0..<100 {
      var mutated = configuration
      for _ in 0...numbers.below(3) { JSONMutation.change(&mutated, &numbers) }
      do throws(FormatError) {
        var model = original
        model.findings = []
        model.configuration = mutated
        try KerasReader().finish(&model)
        _ = ModelReport(ModelFile(path: original.path, content: .keras(model))).json
        let graph = try model.lowered()
        do throws(EngineError) {
          _ = try Network(graph, options: EngineOptions(threads: 1, memoryLimit: 1 << 28)).run(Self.inputs(of: graph))
        } catch {
          refused += 1
          #expect(!"\(error)".contains { $0.isNewline })
        }
      } catch {
        refused += 1
        #expect(!"\(error)".contains { $0.isNewline })
      }
    }
    // Many changes concern what inference does not need; some always do.
    #expect(refused > 5 && refused <= 100)
  }

  /// Zeros in the declared shapes, one row each, as far as they are of a reasonable size.
  private static func inputs(of model: Model) -> [String: Tensor] {
    var inputs: [String: Tensor] = [:]
    for value in model.graph.inputs {
      let shape = (value.shape?.dimensions ?? []).map { $0.value ?? 1 }
      guard let count = checkedProduct(shape), count < 1 << 20 else { continue }
      inputs[value.name] = try? Tensor([Float](repeating: 0, count: count), shape: shape)
        .converted(to: value.elementType ?? .float32)
    }
    return inputs
  }
}
