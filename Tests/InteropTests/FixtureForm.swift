import NNFormat
import TestSupport

/// What a fixture is turned into for another program.
struct FixtureForm: Sendable, Hashable, CustomStringConvertible {
  /// How the file comes about.
  enum Way: Sendable, Hashable {
    /// The fixture's graph of operators, in an operator set or the default one.
    case operators(Int?)
    /// From one Keras layout to another.
    case direct
    /// Through an ONNX file that carries the Keras model along.
    case sidecar
    /// Through an ONNX file that has nothing but operators in it.
    case raised
  }

  let way: Way
  /// The file's ending.
  let ending: String

  static let onnx = FixtureForm(way: .operators(nil), ending: "onnx")

  var description: String {
    switch way {
    case .operators(let version): "operator set \(version.map(String.init) ?? "default")"
    case .direct: "direct .\(ending)"
    case .sidecar: "restored .\(ending)"
    case .raised: "raised .\(ending)"
    }
  }

  /// Writes this form of a fixture.
  ///
  /// - Returns: what the conversion left out, by name.
  /// - Throws: `FormatError` of the conversion.
  @discardableResult
  func write(_ row: FixtureRow, to path: String) throws -> Set<String> {
    let source = try row.read()
    var conversion = Conversion()
    switch way {
    case .operators(let version):
      conversion.operatorSetVersion = version
      return Self.dropped(try conversion.convert(source, to: path))
    case .direct:
      return Self.dropped(try conversion.convert(source, to: path))
    case .sidecar, .raised:
      let middle = path + ".onnx"
      _ = try conversion.convert(source, to: middle)
      var file = try ModelFile.read(middle)
      if case .onnx(var model) = file.content, way == .raised {
        for key in Array(model.metadata.keys) where key.hasPrefix("nnfmt.") { model.metadata[key] = nil }
        model.trainingInfo = []
        file.content = .onnx(model)
      }
      return Self.dropped(try conversion.convert(file, to: path))
    }
  }

  private static func dropped(_ report: ConversionReport) -> Set<String> {
    Set(report.notes.filter { $0.kind == .dropped }.map(\.subject))
  }
}
