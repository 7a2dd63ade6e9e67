import NNEngine
import NNFormat
import TestSupport
import Testing

/// Networks that take or give strings answer as ONNX Runtime does.
@Suite struct TextTests {
  @Test(arguments: Fixtures.rows(.text)) func agreesWithTheRuntime(_ row: FixtureRow) throws {
    let name = row.name.prefix { $0 != "." }
    let path = Fixtures.path("expected/\(name).json")
    let document = try JSONValue.parse(ByteRegion(MappedFile(path: path)).bytes())
    for fusion in [true, false] {
      let network = try Network(try row.read().model(), options: EngineOptions(fusion: fusion))
      var inputs: [String: Tensor] = [:]
      for input in network.inputs {
        inputs[input.name] = try tensor(try #require(document["inputs"]?[input.name]), try #require(input.elementType))
      }
      let outputs = try network.run(inputs)
      #expect(outputs.count == 2 || row.name.contains("strings") || row.name.contains("words"))
      for (name, actual) in outputs {
        let expected = try tensor(try #require(document["outputs"]?[name]), actual.elementType)
        #expect(actual.shape == expected.shape)
        if case .strings(let strings) = expected.storage, case .strings(let given) = actual.storage {
          #expect(given == strings, "\(name)")
        } else {
          #expect(try TensorComparison(actual, expected: expected).relativeDifference <= 1e-5, "\(name)")
        }
      }
    }
  }

  @Test(arguments: [
    ("sklearn_labels_zipmap", ["höher", "low", "middle"]), ("sklearn_binary_zipmap", ["0", "1"]),
  ])
  func classesKeepTheirNames(name: String, labels: [String]) throws {
    let model = try ModelFile.read(Fixtures.model("\(name).onnx")).model()
    #expect(model.classLabels(ofOutput: "output_probability") == labels)
    #expect(model.classLabels(ofOutput: "output_label") == nil)
  }

  /// A vector or matrix of strings or numbers.
  private func tensor(_ value: JSONValue, _ type: ElementType) throws -> Tensor {
    let rows = try #require(value.array)
    let elements = rows.flatMap { $0.array ?? [$0] }
    let shape = rows.first?.array.map { [rows.count, $0.count] } ?? [rows.count]
    switch type {
    case .string:
      let strings = try elements.map { Array(try #require($0.string).utf8) }
      return try Tensor(elementType: .string, shape: shape, storage: .strings(strings))
    case .int64: return Tensor(try elements.map { Int64(try #require($0.double)) }, shape: shape)
    default: return Tensor(try elements.map { Float(try #require($0.double)) }, shape: shape)
    }
  }
}
