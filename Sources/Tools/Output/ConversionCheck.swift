import NNEngine
import NNFormat

/// The comparison of a converted file with its source: weights, and outputs on random inputs.
struct ConversionCheck {
  /// The outputs of the network with their differences.
  let outputs: [ModelEquivalence.Output]
  /// How many weights were compared.
  let tensorCount: Int
  /// What differs apart from outputs.
  let differences: [String]

  init(_ source: ModelFile, result path: String, architecture: String) throws(FormatError) {
    var result = try ModelFile.read(path)
    let target = try ConversionTarget(path: path)
    if target.isWeightsOnly, case .keras(let keras) = source.content, keras.root != nil {
      result = try result.adopting(architecture: source)
    }
    let comparison = try WeightComparison(source, result)
    (tensorCount, differences) = (comparison.count, comparison.differences)
    let (expected, actual) = (try source.model(), try result.model())
    do throws(FormatError) {
      outputs = try ModelEquivalence(expected, actual).outputs
    } catch {
      throw error.inFile(path)
    }
  }

  func isEqual(within tolerance: Double) -> Bool {
    differences.isEmpty && outputs.allSatisfy { $0.relativeDifference <= tolerance }
  }

  /// The result for people.
  var lines: [String] {
    differences + ["\(tensorCount) weights compared"]
      + outputs.map { "output \"\($0.name)\" differs by \(Figures.short($0.relativeDifference)) of its largest value" }
  }
}
