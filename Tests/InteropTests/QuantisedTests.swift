import NNEngine
import NNFormat
import TestSupport
import Testing

/// Files that were quantised here compute in ONNX Runtime and in real Keras what they compute here.
@Suite struct QuantisedTests {
  /// A file for another program, with what was computed here.
  struct Case: Sendable {
    let id: String
    let ending: String
    /// How far each output may be from the other program's. Whole numbers have to be equal, but that the last bits of float
    /// operators in front of them decide one code of 16 bits now and then.
    var bounds: [Double] = []
  }

  /// Models with rows to run them on.
  private static func source(_ name: String) throws -> (file: ModelFile, inputs: TensorInput) {
    switch name {
    case "digits":
      guard case .tensor(let images) = try TensorInput.read(Fixtures.path("digits/images.npy")) else {
        throw FormatError(.mismatch, "the images are no array")
      }
      let rows = try images.rows(0..<20).converted(to: .float32)
      return (try ModelFile.read(Fixtures.model("digits.keras")), .named(["image": rows]))
    case "einsum":
      let file = try ModelFile.read(Fixtures.model("einsum.keras"))
      return (file, try TensorInput.read(Fixtures.path("expected/einsum.x.npz")))
    default:
      let file = try ModelFile.read(Fixtures.path("trained/\(name).keras"))
      var data = try TensorInput.read(Fixtures.path("trained/\(name).npz"))
      _ = try data.takeClasses(besides: try file.model().graph.inputs)
      guard case .named(var arrays) = data else { throw FormatError(.mismatch, "the rows are no archive") }
      for (name, tensor) in arrays { arrays[name] = try tensor.rows(0..<20) }
      return (file, .named(arrays))
    }
  }

  // MARK: ONNX Runtime

  /// Settings by name. Where the processor's products of bytes saturate, ONNX Runtime needs 7 bits beside unsigned codes.
  private static let settings: [(String, QuantisationSettings)] = {
    var list: [(String, QuantisationSettings)] = []
    func add(_ name: String, _ scheme: QuantisationSettings.Scheme, _ change: (inout QuantisationSettings) -> Void) {
      var settings = QuantisationSettings(scheme)
      change(&settings)
      list.append((name, settings))
    }
    for form in QuantisationSettings.Form.allCases {
      add("dynamic int8 \(form)", .dynamic) { ($0.form, $0.reducesRange) = (form, true) }
      add("dynamic uint8 \(form)", .dynamic) {
        ($0.form, $0.weightType, $0.isPerChannel, $0.reducesRange) = (form, .uint8, false, true)
      }
      add("static int8 \(form)", .calibrated) { ($0.form, $0.reducesRange) = (form, true) }
      add("static uint8 \(form)", .calibrated) { ($0.form, $0.weightType, $0.reducesRange) = (form, .uint8, true) }
      add("static symmetric \(form)", .calibrated) {
        ($0.form, $0.activationType, $0.isSymmetric, $0.isPerChannel) = (form, .int8, true, false)
      }
      for type in [ElementType.int8, .uint8, .int4, .uint4] {
        add("weight-only \(type) \(form)", .weightOnly) { ($0.form, $0.weightType, $0.blockSize) = (form, type, 16) }
      }
      add("weight-only channels \(form)", .weightOnly) { $0.form = form }
      for type in [ElementType.uint8, .int4] {
        add("weight-only \(type) in one block \(form)", .weightOnly) {
          ($0.form, $0.weightType, $0.blockSize) = (form, type, form == .qdq ? 1 << 40 : 0)
        }
      }
    }
    add("static int4", .calibrated) { $0.weightType = .int4 }
    add("static uint16", .calibrated) { $0.activationType = .uint16 }
    add("float16", .float16) { _ in }
    add("bfloat16", .bfloat16) { _ in }
    return list
  }()

  private static let runtime = Result { () throws -> (TemporaryFolder, [Case], [String: PythonPeer.Answer]) in
    let folder = try TemporaryFolder()
    var (cases, jobs) = ([Case](), [PythonPeer.Job]())
    for name in ["digits", "spirals", "words", "tumours"] {
      let (file, data) = try source(name)
      let model = try file.model()
      let inputs = try TensorInput.assign([(nil, data)], to: model.graph.inputs)
      for (title, settings) in settings {
        let number = cases.count
        var quantiser = try ModelQuantiser(model, settings)
        var ranges: [String: ClosedRange<Float>] = [:]
        if settings.scheme == .calibrated {
          ranges = try Calibration(quantiser, QuantisationData(inputs, for: Network(model))).ranges
        }
        let probed = try probing(try quantiser.quantised(ranges: ranges).model)
        try ONNXFile.write(probed, to: folder.file("\(number).onnx"))
        let outputs = try Network(probed).run(inputs)
        let bound = Dictionary(uniqueKeysWithValues: outputs.map { ($0.name, $0.tensor) })
        var stored: [(name: String, tensor: Tensor)] = []
        for (index, value) in probed.graph.outputs.enumerated() {
          stored.append(("y\(index)", try #require(bound[value.name])))
        }
        try NpzFile.write(stored, to: folder.file("\(number).y.npz"))
        try NpzFile.write(inputs.map { ($0.key, $0.value) }, to: folder.file("\(number).x.npz"))
        let id = "\(name) \(title)"
        let bounds = stored.map { output -> Double in
          let type = output.tensor.elementType
          return type.isFloatingPoint ? 1e-5 : type.bitWidth == 16 ? 2.0 / 65_536 : 0
        }
        cases.append(Case(id: id, ending: "onnx", bounds: bounds))
        jobs.append(
          PythonPeer.Job(
            id: id, file: folder.file("\(number).onnx"), inputs: folder.file("\(number).x.npz"),
            outputs: folder.file("\(number).y.npz")))
      }
    }
    return (folder, cases, try PythonPeer(script: "onnx_peer.py").answers(to: jobs))
  }

  /// A model that also gives every whole number that nodes compute.
  private static func probing(_ model: Model) throws -> Model {
    var model = model
    let types = try ShapeInference.infer(model)
    for node in model.graph.nodes
    where ["MatMulInteger", "QuantizeLinear", "QLinearMatMul"].contains(node.operatorType) {
      guard let output = node.outputs.first, let value = types[output], let type = value.elementType else { continue }
      model.graph.outputs.append(Value(name: output, elementType: type, shape: value.shape))
    }
    return model
  }

  @Test func onnxRuntimeComputesTheSame() throws {
    let (folder, cases, answers) = try Self.runtime.get()
    _ = folder
    #expect(cases.count == 4 * Self.settings.count)
    for item in cases {
      guard case .differences(let differences) = answers[item.id] else {
        Issue.record("\(item.id): \(String(describing: answers[item.id]))")
        continue
      }
      #expect(differences.count == item.bounds.count)
      for (difference, bound) in zip(differences, item.bounds) {
        #expect(difference <= bound, "\(item.id): \(differences)")
      }
    }
  }

  // MARK: Keras

  private static let modes: [(String, KerasQuantiser.Mode)] = [
    ("int8", .int8(roundsInputs: true)), ("int8 weights", .int8(roundsInputs: false)),
    ("int4 blocks", .int4(blockSize: 6)), ("int4", .int4(blockSize: nil)),
  ]

  private static let keras = Result { () throws -> (TemporaryFolder, [String], [String: PythonPeer.Answer]) in
    let folder = try TemporaryFolder()
    var (ids, jobs) = ([String](), [PythonPeer.Job]())
    for name in ["digits", "einsum", "words"] {
      let (file, data) = try source(name)
      guard case .keras(let model) = file.content else { continue }
      for (title, mode) in modes {
        let (quantised, rows) = try KerasQuantiser.quantised(model, mode) { _ in nil }
        #expect(rows.contains { $0.reason == nil })
        let number = ids.count
        for (ending, layout) in [("keras", KerasModel.Layout.archive), ("h5", .legacyModel), ("weights.h5", .weights)] {
          let path = folder.file("\(number).\(ending)")
          try KerasWriter.write(quantised, to: path, layout: layout)
        }
        // The numbers are those of the file as it is read again.
        let network = try Network(try ModelFile.read(folder.file("\(number).keras")).model())
        let inputs = try TensorInput.assign([(nil, data)], to: network.inputs)
        let outputs = try network.run(inputs).enumerated().map { ("y\($0.offset)", $0.element.tensor) }
        try NpzFile.write(outputs.map { (name: $0.0, tensor: $0.1) }, to: folder.file("\(number).y.npz"))
        let ordered = network.inputs.compactMap { value in inputs[value.name].map { (name: value.name, tensor: $0) } }
        try NpzFile.write(ordered, to: folder.file("\(number).x.npz"))
        for ending in ["keras", "h5", "weights.h5"] {
          let id = "\(name) \(title) .\(ending)"
          var job = PythonPeer.Job(
            id: id, file: folder.file("\(number).\(ending)"), inputs: folder.file("\(number).x.npz"),
            outputs: folder.file("\(number).y.npz"))
          if ending == "weights.h5" { job.architecture = folder.file("\(number).keras") }
          ids.append(id)
          jobs.append(job)
        }
      }
    }
    return (folder, ids, try PythonPeer(script: "keras_peer.py", arguments: ["keras"]).answers(to: jobs))
  }

  @Test func kerasComputesTheSame() throws {
    let (folder, ids, answers) = try Self.keras.get()
    _ = folder
    #expect(ids.count == 36)
    for id in ids {
      guard case .differences(let differences) = answers[id] else {
        Issue.record("\(id): \(String(describing: answers[id]))")
        continue
      }
      #expect((differences.max() ?? .infinity) <= 1e-5, "\(id): \(differences)")
    }
  }
}
