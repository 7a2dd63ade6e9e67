import NNFormat
import TestSupport

extension FuzzTarget {
  /// Decodes a model, encodes it, and does both again with the result.
  static func codec(_ region: ByteRegion) throws {
    let first = try ONNXFile.bytes(of: try ONNXFile.read(region, path: nil))
    let second = try again("a model that was encoded") { () throws(FormatError) in
      try ONNXFile.bytes(of: try ONNXFile.read(ByteRegion(first), path: nil))
    }
    try Contradiction.unless(first == second, "encoding a model for the second time gives other bytes")
  }

  static func graph(_ region: ByteRegion) throws {
    let model = try ONNXFile.read(region, path: nil)
    let file = ModelFile(path: "input.onnx", content: .onnx(model))
    _ = ModelValidator.findings(in: file)
    _ = ModelReport(file, withStatistics: true).json.text()
    let versions = KerasModel.operatorSetVersions
    for version in [versions.lowerBound, 17, versions.upperBound] { _ = try? model.moved(toOperatorSet: version) }
    // Layers of both generations, and back to operators.
    for target in ["output.h5", "output.keras"] {
      let raised = try Conversion().converted(file, for: target).file
      _ = ModelReport(raised).json.text()
      _ = try? Conversion().converted(raised, for: "output.onnx")
    }
  }

  static func keras(_ bytes: [UInt8]) throws {
    let json = try JSONValue.parse(bytes, maximumDepth: ReadLimits().depth)
    for style in [JSONValue.Style.python, .indented] {
      let parsed = try again("JSON that was written") { () throws(FormatError) in
        try JSONValue.parse(json.text(style))
      }
      try Contradiction.unless(parsed == json, "JSON is read as something else after writing")
    }
    let keras = try KerasReader().configuration(json, path: "input.json")
    let file = ModelFile(path: "input.json", content: .keras(keras))
    _ = ModelValidator.findings(in: file)
    _ = ModelReport(file).json.text()
    for target in ["output.h5", "output.keras"] { _ = try? Conversion().converted(file, for: target) }
    if let settings = try? keras.compileSettings(), let loss = settings.loss, let optimizer = settings.optimizer {
      for step in [0, 1 << 53] { _ = optimizer.learningRate.rate(at: step) }
      _ = try? keras.compiled(loss: loss, optimizer: optimizer, metrics: settings.metrics).compileSettings()
    }
    _ = try? KerasTraining(keras)
    _ = try keras.lowered()
  }

  /// The file that indexes are read against holds nothing but zeros.
  private static let image = ByteRegion(AlignedBytes(copying: [UInt8](repeating: 0, count: 1 << 16)), name: "image")

  static func index(_ bytes: [UInt8]) throws {
    let index = try HDF5Index(decoding: bytes, of: image)
    let first = index.encoded
    let second = try again("an index that was encoded") { () throws(FormatError) in
      try HDF5Index(decoding: first, of: image).encoded
    }
    try Contradiction.unless(first == second, "encoding an index for the second time gives other bytes")
    var pending = [index.root]
    while let group = pending.popLast() {
      for child in group.children.values {
        switch child {
        case .group(let group): pending.append(group)
        case .dataset(let dataset):
          // What only libhdf5 could decode is refused by it, since the image is no HDF5 file.
          if let tensor = try? dataset.tensor(), let bytes = try? tensor.denseBytes {
            try Contradiction.unless(bytes.count == tensor.byteCount, "\(dataset.path) has elements of another size")
          }
        default: break
        }
      }
    }
  }

  /// What must not be refused since this library wrote it.
  static func again<Result>(
    _ what: String, _ body: () throws(FormatError) -> Result
  ) throws(Contradiction) -> Result {
    do { return try body() } catch { throw Contradiction("\(what) is refused: \(error)") }
  }
}
