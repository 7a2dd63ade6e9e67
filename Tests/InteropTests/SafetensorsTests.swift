import NNFormat
import TestSupport
import Testing

/// Weights as `.safetensors` are what the safetensors package reads, and what it writes is read here.
@Suite struct SafetensorsTests {
  private struct Exchange: Sendable {
    let folder: TemporaryFolder
    var answers: [String: PythonPeer.Answer] = [:]
    var failures: [String: String] = [:]

    func path(_ row: FixtureRow, _ ending: String) -> String {
      folder.file(row.name.replacing("/", with: "_") + ending)
    }

    init() throws {
      folder = try TemporaryFolder()
      var jobs: [PythonPeer.Job] = []
      for row in SafetensorsTests.rows {
        let (weights, arrays) = (path(row, ".safetensors"), path(row, ".npz"))
        do {
          _ = try Conversion().convert(try row.read(), to: weights)
          _ = try Conversion().convert(try row.read(), to: arrays)
        } catch {
          failures[row.name] = "\(error)"
          continue
        }
        jobs.append(
          PythonPeer.Job(
            id: row.name, file: weights, inputs: "", outputs: "",
            more: ["npz": arrays, "copy": path(row, ".copy.safetensors")]))
      }
      answers = try PythonPeer(script: "safetensors_peer.py").answers(to: jobs)
    }
  }

  /// NumPy, which the package gives the arrays in, has no type for bfloat16, and no array of bytes holds 4-bit weights.
  private static let rows = Fixtures.rows(.predict).filter {
    !$0.name.contains("bfloat16") && !$0.name.hasPrefix("quantizer_bits_qdq") && $0.name != "quantise_blocks.onnx"
  }
  private static let exchange = Result { try Exchange() }

  @Test(arguments: rows) func bothReadWhatTheOtherWrote(_ row: FixtureRow) throws {
    let exchange = try Self.exchange.get()
    #expect(exchange.failures[row.name] == nil)
    if case .error(let message)? = exchange.answers[row.name] { Issue.record("\(row.name): \(message)") }
    let original = try SafetensorsFile.read(ByteRegion(MappedFile(path: exchange.path(row, ".safetensors"))))
    let copy = try SafetensorsFile.read(ByteRegion(MappedFile(path: exchange.path(row, ".copy.safetensors"))))
    #expect(original.tensors.count == copy.tensors.count)
    for (name, tensor) in original.tensors {
      let other = try #require(copy.tensors[name])
      #expect(try tensor.shape == other.shape && tensor.hasSameElements(as: other), "\(row.name): \(name)")
    }
  }
}
