import NNFormat
import TestSupport
import Testing

/// `nnfmt graft` and `nnfmt perceptron` as their users run them.
@Suite struct GraftTests {
  @Test func reportsLoadedSkippedAndMismatched() throws {
    let folder = try TemporaryFolder()
    let base = try TrainingFiles.network(folder, "base.keras", layers: "dense 6 relu, dense 4 relu, dense 3 softmax")
    let head = try TrainingFiles.network(
      folder, "head.h5", layers: "dense 6 relu, dense 4 relu, dense 2 relu, dense 5 softmax")
    let out = folder.file("out.keras")
    let result = try Tool.run(["graft", base, head, out, "--freeze", "dense*1", "--json"])
    try #require(result.status == 0, "\(result.error)")
    let json = try JSONValue.parse(result.output)
    #expect(json.object?.keys.first == "schema" && json["schema"]?.string == "nnfmt.graft/1")
    let layers = json["layers"]?.array ?? []
    #expect(layers.compactMap { $0["name"]?.string } == ["dense", "dense_1", "dense_2", "dense_3"])
    #expect(layers.compactMap { $0["outcome"]?.string } == ["loaded", "loaded", "mismatched", "skipped"])
    #expect(layers.compactMap { $0["frozen"]?.bool } == [false, true, false, false])
    let report = try JSONValue.parse(try Tool.run(["inspect", out, "--json"]).output)
    let trainable = report["layers"]?.array?.filter { $0["type"]?.string == "Dense" }.compactMap {
      $0["trainable"]?.bool
    }
    #expect(trainable == [true, false, true, true])
    let data = try folder.write(TrainingFiles.table().replacing("cat", with: "bee"), to: "rows.csv")
    let trained = folder.file("trained.keras")
    let training = try Tool.run(["train", out, "--data", data, "--epochs", "2", "--output", trained])
    try #require(training.status == 0, "\(training.error)")
    func weights(_ path: String, _ layer: String) throws -> [[Float]] {
      guard case .keras(let model) = try ModelFile.read(path).content else { return [] }
      let layer = try #require(model.root?.all.first { $0.name == layer })
      return try layer.weights.values.map { try $0.tensor().elements(as: Float.self) }
    }
    #expect(try weights(trained, "dense_1") == weights(base, "dense_1"))
    #expect(try weights(trained, "dense") != weights(base, "dense"))
  }

  @Test func refuses() throws {
    let folder = try TemporaryFolder()
    let base = try TrainingFiles.network(folder, "base.keras", layers: "dense 6 relu, dense 3 softmax")
    let onnx = try TrainingFiles.network(folder, "net.onnx", layers: "dense 2")
    let other = try TrainingFiles.network(folder, "other.keras", layers: "dense 7 relu, dense 2 softmax")
    for (arguments, named) in [
      ([onnx, base], "net.onnx"), ([base, onnx], "net.onnx"), ([folder.file("none.keras"), base], "none.keras"),
      ([base, other], "no layer"),
    ] {
      let result = try Tool.run(["graft"] + arguments + [folder.file("out.keras")])
      #expect(result.status == 2 && result.errorLines.count == 1 && result.error.contains(named), "\(result.error)")
    }
    #expect(try folder.names.contains("out.keras") == false)
  }

  @Test func theNeuronSeparatesWhatALineSeparates() throws {
    let folder = try TemporaryFolder()
    let data = try folder.write("x,y,side\n0,0,below\n1,0.2,below\n0,2,above\n1,3,above\n", to: "line.csv")
    let neuron = folder.file("neuron.onnx")
    let result = try Tool.run(["perceptron", data, "--target", "side", "--output", neuron, "--json"])
    try #require(result.status == 0, "\(result.error)")
    let json = try JSONValue.parse(result.output)
    #expect(json["schema"]?.string == "nnfmt.perceptron/1" && json["separated"]?.bool == true)
    let (slope, intercept) = (try #require(json["slope"]?.double), try #require(json["intercept"]?.double))
    // "below" and "above" are in this order 1 and 0.
    for (x, y, isAbove) in [(0.0, 0.0, false), (1, 0.2, false), (0, 2, true), (1, 3, true)] {
      #expect((y > slope * x + intercept) == isAbove)
    }
    let rows = try folder.write("0,0\n0,2\n", to: "rows.csv")
    let answers = try Tool.run(["predict", neuron, "--input", rows, "--output", "-"]).output
    #expect(answers.split(separator: "\n").suffix(2).map { Double($0) } == [1, 0])
  }

  @Test func theNeuronSaysThatXorIsNotSeparable() throws {
    let folder = try TemporaryFolder()
    let data = try folder.write("x,y,xor\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n", to: "xor.csv")
    let result = try Tool.run(["perceptron", data, "--epochs", "50"])
    #expect(result.status == 1 && result.error.isEmpty && result.output.contains("not separated"))
    let three = try folder.write("x,y\n1,0\n2,1\n3,2\n", to: "three.csv")
    let refused = try Tool.run(["perceptron", three])
    #expect(refused.status == 2 && refused.errorLines.count == 1 && refused.error.contains("three.csv"))
  }
}
