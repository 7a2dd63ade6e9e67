/// What tells two model files apart: structure, hyper-parameters, weights, training state.
///
/// Two Keras files are compared layer by layer, two ONNX files node by node, whatever their layout; a Keras file and an
/// ONNX file layer by layer when the ONNX file carries the Keras model it was made from and still has its graph, node by node
/// when the Keras file carries the ONNX model it was made from and still has its layers, else by the graph that the Keras
/// one lowers to. The order of keys, spellings of one number and members that are
/// `null` on one side and absent on the other are no differences; versions, dates and producers are notes.
public struct ModelComparison: Sendable {
  /// What a difference concerns.
  public enum Section: String, Sendable {
    case structure, configuration, weights, optimizer, training, metadata
  }

  /// One place where the two say different things.
  public struct Difference: Sendable, Hashable {
    /// What it concerns.
    public var section: Section
    /// The place, such as `layers[2].config.units`, as the first file counts.
    public var place: String
    /// What the first file says; `nil` where it says nothing.
    public var left: String?
    /// What the second file says; `nil` where it says nothing.
    public var right: String?
    /// How far apart two tensors of one shape are.
    public var distance: TensorComparison?
  }

  /// The files compared.
  public let paths: [String]
  /// How far apart weights may be, relative to the largest element; `nil` when every bit counts.
  public let tolerance: Double?
  /// Everything that counts.
  public internal(set) var differences: [Difference] = []
  /// What is different and does not count.
  public internal(set) var notes: [Difference] = []
  /// How many tensors were compared, and how many of them have the same bits.
  public internal(set) var tensors = (compared: 0, identical: 0)

  /// Whether nothing that counts is different.
  public var isEqual: Bool { differences.isEmpty }

  /// Compares two files.
  ///
  /// - Throws: `FormatError` when a Keras file is compared with an ONNX file and has no graph of operators.
  public init(_ left: ModelFile, _ right: ModelFile, tolerance: Double? = nil) throws(FormatError) {
    paths = [left.path, right.path]
    self.tolerance = tolerance
    switch (left.content, right.content) {
    case (.keras(let one), .keras(let other)):
      let (plain, plainOther) = try dequantised(one, other)
      compare(plain, plainOther)
    case (.onnx(let one), .onnx(let other)):
      if let (left, right, text) = try dequantised(one, other) {
        note(.weights, "quantised layers", nil, text)
        compare(left, right)
      } else {
        compare(one, other)
      }
    case (.keras(let one), .onnx(let other)):
      if let restored = restoredKeras(other, at: right.path, isLeft: false) {
        compare(one, restored)
      } else if let original = restoredONNX(one, isLeft: true) {
        noteTraining(one, isLeft: true)
        compare(original, other)
      } else {
        noteTraining(one, isLeft: true)
        try comparePlain(one.plain(besides: other).lowered(), other)
      }
    case (.onnx(let one), .keras(let other)):
      if let restored = restoredKeras(one, at: left.path, isLeft: true) {
        compare(restored, other)
      } else if let original = restoredONNX(other, isLeft: false) {
        noteTraining(other, isLeft: false)
        compare(one, original)
      } else {
        noteTraining(other, isLeft: false)
        try comparePlain(one, other.plain(besides: one).lowered())
      }
    }
  }

  /// A lowered model and another, by dequantised values where only one of them has quantised layers.
  private mutating func comparePlain(_ one: Model, _ other: Model) throws(FormatError) {
    guard let (left, right, text) = try dequantised(one, other) else { return compareLowered(one, other) }
    note(.weights, "quantised layers", nil, text)
    compareLowered(left, right)
  }

  /// Two Keras models, each without quantised layers where the other has none.
  private mutating func dequantised(
    _ left: KerasModel, _ right: KerasModel
  ) throws(FormatError) -> (KerasModel, KerasModel) {
    guard left.holdsQuantisedLayers != right.holdsQuantisedLayers else { return (left, right) }
    note(.weights, "quantised layers", nil, "compared by dequantised values")
    return left.holdsQuantisedLayers
      ? (try left.dequantised(like: right), right) : (left, try right.dequantised(like: left))
  }

  /// Compares two Keras models of files.
  init(paths: [String], tolerance: Double?, _ left: KerasModel, _ right: KerasModel) {
    (self.paths, self.tolerance) = (paths, tolerance)
    compare(left, right)
  }

  /// The Keras model that an ONNX file was made from, when its graph is still that of then.
  private mutating func restoredKeras(_ model: Model, at path: String, isLeft: Bool) -> KerasModel? {
    switch KerasSidecar.read(model, path: path) {
    case .intact(let keras): return keras
    case .outdated(let reason):
      note(.metadata, "the Keras model carried along", isLeft ? reason : nil, isLeft ? nil : reason)
      return nil
    case .none: return nil
    }
  }

  /// The ONNX model that the layers of a Keras file were made from, when they are still those of then.
  private mutating func restoredONNX(_ keras: KerasModel, isLeft: Bool) -> Model? {
    switch ONNXSidecar.read(keras) {
    case .intact(let model): return model
    case .outdated(let reason):
      note(.metadata, "the ONNX model carried along", isLeft ? reason : nil, isLeft ? nil : reason)
      return nil
    case .none: return nil
    }
  }

  mutating func differ(_ section: Section, _ place: String, _ left: String?, _ right: String?) {
    differences.append(Difference(section: section, place: place, left: left, right: right))
  }

  mutating func note(_ section: Section, _ place: String, _ left: String?, _ right: String?) {
    notes.append(Difference(section: section, place: place, left: left, right: right))
  }

  /// Two texts that have to be the same, or, as a note, should.
  mutating func compare(
    _ section: Section, _ place: String, _ left: String?, _ right: String?, counts: Bool = true
  ) {
    guard left != right else { return }
    if counts { differ(section, place, left, right) } else { note(section, place, left, right) }
  }

  /// Two tensors that stand in one place; `nil` where a file has none.
  mutating func compare(_ section: Section, _ place: String, _ left: Tensor?, _ right: Tensor?) {
    guard let left, let right else {
      if left != nil || right != nil { differ(section, place, left?.typeText, right?.typeText) }
      return
    }
    tensors.compared += 1
    guard left.elementType == right.elementType, left.shape == right.shape else {
      return differ(section, place, left.typeText, right.typeText)
    }
    do throws(FormatError) {
      guard try !left.hasSameElements(as: right) else {
        tensors.identical += 1
        return
      }
      let distance = try Self.distance(right, from: left)
      if let tolerance, let distance, distance.relativeDifference <= tolerance { return }
      differences.append(
        Difference(section: section, place: place, left: left.typeText, right: right.typeText, distance: distance))
    } catch {
      differ(section, place, left.typeText, error.message)
    }
  }

  /// `nil` when the elements are no plain numbers.
  private static func distance(_ tensor: Tensor, from expected: Tensor) throws(FormatError) -> TensorComparison? {
    do throws(FormatError) {
      return try TensorComparison(tensor, expected: expected)
    } catch {
      if error.kind == .unsupported || error.kind == .mismatch { return nil }
      throw error
    }
  }
}

extension KerasModel {
  /// The model without quantised layers, where a graph that it is compared with has none.
  fileprivate func plain(besides model: Model) throws(FormatError) -> KerasModel {
    let reader = PrecisionReader(model.graph)
    let isQuantised = model.graph.nodes.contains { reader.precision(of: $0)?.isQuantised == true }
    return holdsQuantisedLayers && !isQuantised ? try dequantised(like: nil) : self
  }
}

extension Tensor {
  /// `float32(2, 3)`.
  var typeText: String { elementType.name + Shape(shape).description }
}
