import NNEngine
import NNFormat

/// The comparison of a converted file with its source: graph or layers, weights, and outputs on random inputs.
struct ConversionCheck {
  /// What differs apart from outputs, with its place.
  private(set) var differences: [String]
  /// How many tensors were compared.
  let tensorCount: Int
  /// The outputs of the network with their differences.
  private(set) var outputs: [ModelEquivalence.Output] = []
  /// Why there are none.
  private(set) var skipped: String?

  /// - Parameter dropped: what the conversion left out, by name.
  init(
    _ source: ModelFile, _ conversion: Conversion, result: ModelFile, dropped: Set<String>
  ) throws(FormatError) {
    var result = result
    let verification = try ConversionVerification(of: source, conversion, result: result)
    (differences, tensorCount) = (verification.differences, verification.tensorCount)
    if case .keras(let keras) = result.content, keras.root == nil {
      guard case .keras(let layers) = source.content, layers.root != nil else {
        skipped = "the files hold weights without layers"
        return
      }
      result = try result.adopting(architecture: source)
    }
    if case .keras(let layers) = source.content, case .onnx(var model) = result.content {
      // What an ONNX model that came back gives beyond its layers has nothing to be compared with.
      let names = Set(Conversion.outputs(of: model, missingIn: layers))
      model.graph.outputs.removeAll { names.contains($0.name) }
      result.content = .onnx(model)
    }
    do throws(FormatError) {
      outputs = try ModelEquivalence(try source.model(), try result.model(), omitting: dropped).outputs
    } catch {
      switch error.kind {
      case .unsupported: skipped = error.message
      case .mismatch: differences.append(error.message)
      default: throw error.inFile(result.path)
      }
    }
  }

  func isEqual(within tolerance: Double) -> Bool {
    differences.isEmpty && outputs.allSatisfy { $0.relativeDifference <= tolerance }
  }

  /// The result for people.
  var lines: [String] {
    differences + ["\(tensorCount) tensors compared"]
      + outputs.map {
        $0.relativeDifference == 0
          ? "output \"\($0.name)\" is equal"
          : "output \"\($0.name)\" differs by \(Figures.short($0.relativeDifference)) of its largest value"
      }
      + (skipped.map { ["outputs not compared: \($0)"] } ?? [])
  }

  /// The result for programs.
  func json(isEqual: Bool) -> JSONValue {
    [
      "equal": .bool(isEqual), "tensors": .int(tensorCount), "differences": .array(differences.map(JSONValue.string)),
      "outputs": .array(
        outputs.map { ["name": .string($0.name), "relativeDifference": .double($0.relativeDifference)] }),
      "skipped": skipped.map(JSONValue.string) ?? .null,
    ]
  }
}
