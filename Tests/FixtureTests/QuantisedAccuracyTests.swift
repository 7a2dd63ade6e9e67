import NNEngine
import NNFormat
import TestSupport
import Testing

/// What quantising costs trained classifiers, against the true classes of rows that they have not seen.
@Suite struct QuantisedAccuracyTests {
  /// A trained model with its test rows.
  struct Classifier: Sendable, CustomStringConvertible {
    let name: String
    var description: String { name }

    func read() throws -> (model: Model, inputs: [String: Tensor], classes: [Int]) {
      if name == "digits" {
        let model = try ModelFile.read(Fixtures.model("digits.keras")).model()
        guard case .tensor(let images) = try TensorInput.read(Fixtures.path("digits/images.npy")) else {
          throw FormatError(.mismatch, "the images are no array")
        }
        return (model, ["image": images], try LabelFile.indices(Fixtures.path("digits/labels.npy")))
      }
      let model = try ModelFile.read(Fixtures.path("trained/\(name).keras")).model()
      var data = try TensorInput.read(Fixtures.path("trained/\(name).npz"))
      let classes = try #require(try data.takeClasses(besides: model.graph.inputs))
      return (model, try TensorInput.assign([(nil, data)], to: model.graph.inputs), classes)
    }
  }

  static let classifiers = ["digits", "spirals", "tumours", "words"].map(Classifier.init)

  /// Every scheme with the share of accuracy that it may lose.
  static let schemes: [(QuantisationSettings, loss: Double)] = {
    var schemes: [(QuantisationSettings, loss: Double)] = [
      (QuantisationSettings(.dynamic), 0.005), (QuantisationSettings(.calibrated), 0.005),
      (QuantisationSettings(.weightOnly), 0.005), (QuantisationSettings(.float16), 0.001),
      (QuantisationSettings(.bfloat16), 0.005),
    ]
    var settings = QuantisationSettings(.calibrated)
    settings.form = .qoperator
    schemes.append((settings, 0.005))
    settings.calibrationMethod = .entropy
    schemes.append((settings, 0.01))
    settings.calibrationMethod = .percentile
    schemes.append((settings, 0.005))
    settings = QuantisationSettings(.weightOnly)
    settings.weightType = .int4
    settings.blockSize = 32
    schemes.append((settings, 0.02))
    settings.form = .qoperator
    schemes.append((settings, 0.02))
    settings.weightType = .uint4
    schemes.append((settings, 0.02))
    return schemes
  }()

  @Test(arguments: classifiers, schemes.indices) func holdsTheBound(_ classifier: Classifier, _ number: Int) throws {
    let (settings, loss) = Self.schemes[number]
    let (model, inputs, classes) = try classifier.read()
    var quantiser = try ModelQuantiser(model, settings)
    let network = try Network(model)
    let data = try QuantisationData(inputs, classes: classes, for: network)
    var ranges: [String: ClosedRange<Float>] = [:]
    if settings.scheme == .calibrated {
      let rows = try QuantisationData(inputs, for: network, limit: 100)
      ranges = try Calibration(quantiser, rows).ranges
    }
    let quantised = try quantiser.quantised(ranges: ranges).model
    let measurement = try QuantisationMeasurement(quantiser, data)
    let accuracy = try #require(try measurement.accuracy(quantised))
    #expect(accuracy.before > 0.9)
    #expect(accuracy.drop <= loss, "\(classifier), \(settings.inForce): \(accuracy.before) -> \(accuracy.after)")
    let changed = accuracy.changes.reduce(0) { $0 + $1.rows }
    #expect(Double(changed) <= 0.05 * Double(classes.count))
  }
}
