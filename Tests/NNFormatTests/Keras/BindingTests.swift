import NNFormat
import OrderedCollections
import Testing

private let dense = #"{"class_name": "Dense", "config": {"name": "d", "units": 3, "input_dim": 2}}"#
private let normalization = #"{"class_name": "BatchNormalization", "config": {"name": "n"}}"#

@Suite struct LegacyBindingTests {
  private let kernel = [2, 3]

  @Test(arguments: [
    ("kernel", "bias"), ("d/kernel:0", "d/bias:0"), ("m/d/kernel", "m/d/bias"), ("d_W", "d_b"), ("d_W:0", "d_b:0"),
    ("d_3/kernel:0", "d_3/bias:0"), ("param_0", "param_1"), ("x", "y"),
  ]) func everySpellingOfNames(_ kernelName: String, biasName: String) throws {
    let model = try legacyModel(dense, weights: [("d", [(kernelName, kernel), (biasName, [3])])])
    #expect(model.boundPlaces("d") == ["kernel": "/d/\(kernelName)", "bias": "/d/\(biasName)"])
    #expect(model.findings.isEmpty)
  }

  @Test func namesGoBeforePositions() throws {
    let model = try legacyModel(dense, weights: [("d", [("d/bias:0", [3]), ("d/kernel:0", kernel)])])
    #expect(model.boundPlaces("d") == ["kernel": "/d/d/kernel:0", "bias": "/d/d/bias:0"])
  }

  @Test func layersOfOtherNamesAreTakenByPosition() throws {
    let flatten = #"{"class_name": "Flatten", "config": {"name": "f"}}"#
    let model = try legacyModel(
      "\(dense), \(flatten), \(normalization)",
      weights: [
        ("other_1", [("kernel", kernel), ("bias", [3])]), ("other_2", []),
        ("other_3", [("gamma", [3]), ("beta", [3]), ("moving_mean", [3]), ("moving_variance", [3])]),
      ])
    #expect(model.boundPlaces("d")["kernel"] == "/other_1/kernel")
    #expect(model.boundPlaces("n")["moving_variance"] == "/other_3/moving_variance")
  }

  /// Keras stores the trainable variables of a group first, so that a frozen layer inside moves behind the others.
  @Test func frozenLayersInsideAModelMoveToTheEnd() throws {
    let inner = { (name: String, trainable: Bool) in
      #"{"class_name": "Dense", "config": {"name": "\#(name)", "units": 2, "trainable": \#(trainable)}}"#
    }
    let model = try legacyModel(
      #"{"class_name": "Sequential", "config": {"name": "s", "layers": [\#(inner("a", false)), \#(inner("b", true))]}}"#,
      weights: [("s", [("0", [2, 2]), ("1", [2]), ("2", [2, 2]), ("3", [2])])])
    #expect(model.boundPlaces("b") == ["kernel": "/s/0", "bias": "/s/1"])
    #expect(model.boundPlaces("a") == ["kernel": "/s/2", "bias": "/s/3"])
  }

  @Test func findings() throws {
    let whole: [(name: String, shape: [Int])] = [("kernel", kernel), ("bias", [3])]
    let cases: [(String, [(group: String, weights: [(name: String, shape: [Int])])], [String])] = [
      (dense, [("d", whole)], []), (dense, [("d", [("kernel", kernel)])], ["wrong-weight-count", "missing-weights"]),
      (dense, [], ["missing-weights"]), (dense, [("d", whole), ("e", whole)], ["unused-weights"]),
      (dense, [("d", whole + [("more", [1])])], ["wrong-weight-count"]),
      (#"{"class_name": "Lambda", "config": {"name": "l"}}"#, [], ["lambda-layer"]),
      (#"{"class_name": "Conv2D", "config": {"name": "c"}}"#, [], ["unsupported-layer"]),
      (#"{"class_name": "Mine>Scale", "config": {"name": "c"}}"#, [], ["custom-layer"]),
      (
        #"{"class_name": "Scale", "module": "mine.layers", "config": {"name": "c"}}"#, [],
        ["custom-layer", "foreign-module"]
      ),
    ]
    for (layers, weights, codes) in cases {
      #expect(try legacyModel(layers, weights: weights).findingCodes == codes, "\(layers)")
    }
    let subclassed = try kerasModel(#"{"class_name": "MyModel", "config": {"name": "m"}}"#)
    #expect(subclassed.findingCodes == ["subclassed-model"])
  }
}

@Suite struct TreeBindingTests {
  /// A Keras 3 model in memory: groups of `layers` by name with the shapes of their variables.
  private func model(_ layers: String, _ groups: [(name: String, layer: String?, shapes: [[Int]])]) throws -> KerasModel
  {
    var model = KerasModel(path: "memory", layout: .archive)
    model.kerasVersion = "3.15.1"
    model.configuration = try JSONValue.parse(
      "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"m\", \"layers\": [\(layers)]}}")
    var tree = WeightTree(path: "/")
    for (name, layer, shapes) in groups {
      tree.descend(["layers", name][...]) { node in
        node.layerName = layer
        node.variables = shapes.enumerated().map { index, shape in
          KerasWeight(name: "\(index)", path: "/layers/\(name)/vars/\(index)", value: .success(countingTensor(shape)))
        }
      }
    }
    KerasReader().adoptTree(tree, into: &model)
    try KerasReader().finish(&model)
    return model
  }

  private func dense(_ name: String) -> String {
    #"{"class_name": "Dense", "config": {"name": "\#(name)", "units": 2}}"#
  }
  private let shapes = [[2, 2], [2]]

  @Test func groupsAreNumberedByClass() throws {
    let bound = try model("\(dense("p")), \(dense("q"))", [("dense", nil, shapes), ("dense_1", nil, shapes)])
    #expect(bound.boundPlaces("p")["kernel"] == "/layers/dense/vars/0")
    #expect(bound.boundPlaces("q") == ["kernel": "/layers/dense_1/vars/0", "bias": "/layers/dense_1/vars/1"])
    #expect(bound.findings.isEmpty)
  }

  @Test func theNotedNameGoesBeforeTheNumber() throws {
    let bound = try model("\(dense("p")), \(dense("q"))", [("dense", "q", shapes), ("dense_1", "p", shapes)])
    #expect(bound.boundPlaces("p")["kernel"] == "/layers/dense_1/vars/0")
    #expect(bound.boundPlaces("q")["kernel"] == "/layers/dense/vars/0")
  }

  @Test func numbersMayHaveGaps() throws {
    let bound = try model(
      "\(dense("p")), \(dense("q")), \(dense("r"))",
      [("dense", nil, shapes), ("dense_10", nil, shapes), ("dense_2", nil, shapes)])
    #expect(bound.boundPlaces("q")["kernel"] == "/layers/dense_2/vars/0")
    #expect(bound.boundPlaces("r")["kernel"] == "/layers/dense_10/vars/0")
  }

  @Test func aNameThatIsAnotherClassesDoesNotCount() throws {
    let norm = #"{"class_name": "BatchNormalization", "config": {"name": "p"}}"#
    let bound = try model(
      "\(norm), \(dense("q"))", [("dense", "p", shapes), ("batch_normalization", nil, [[2], [2], [2], [2]])])
    #expect(bound.boundPlaces("p")["gamma"] == "/layers/batch_normalization/vars/0")
    #expect(bound.boundPlaces("q")["kernel"] == "/layers/dense/vars/0")
  }

  @Test func strayGroupsAreFindings() throws {
    #expect(
      try model(dense("p"), [("dense", nil, shapes), ("conv2d", nil, shapes)]).findingCodes == ["unused-weights"])
    #expect(try model(dense("p"), [("dense", nil, [[2, 2]])]).findingCodes == ["missing-weights"])
    #expect(try model(dense("p"), []).findingCodes == ["missing-weights"])
  }

  @Test func numbersOrderNames() {
    let sorted = ["dense_10", "dense_2", "dense", "10", "9", "conv_1"].sorted(by: WeightTree.precedes)
    #expect(sorted == ["9", "10", "conv_1", "dense", "dense_2", "dense_10"])
  }
}
