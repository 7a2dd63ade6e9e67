/// What tells two model files apart: structure, hyper-parameters, weights, training state.
///
/// Two Keras files are compared layer by layer, two ONNX files node by node, whatever their layout; a Keras file and an
/// ONNX file by the graph that the Keras one lowers to. The order of keys, spellings of one number and members that are
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
    public var distance: TensorDistance?
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
    case (.keras(let one), .keras(let other)): compare(one, other)
    case (.onnx(let one), .onnx(let other)): compare(one, other)
    case (.keras(let one), .onnx(let other)):
      noteTraining(one, isLeft: true)
      compareLowered(try one.lowered(), other)
    case (.onnx(let one), .keras(let other)):
      noteTraining(other, isLeft: false)
      compareLowered(one, try other.lowered())
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
      let distance = try TensorDistance(left, right)
      if let tolerance, let distance, distance.relative <= tolerance { return }
      differences.append(
        Difference(section: section, place: place, left: left.typeText, right: right.typeText, distance: distance))
    } catch {
      differ(section, place, left.typeText, error.message)
    }
  }
}

/// How far apart two tensors of one type and shape are.
public struct TensorDistance: Sendable, Hashable {
  /// The largest absolute difference of two elements; infinite where just one of them is NaN or infinite.
  public var maximum = 0.0
  /// The largest difference relative to the largest finite magnitude of the first tensor; absolute when that is 0.
  public var relative = 0.0
  /// The cosine of the angle between the two as vectors; NaN when one is all zeros.
  public var cosine = 0.0

  /// - Returns: `nil` when the elements are no plain numbers.
  /// - Throws: `FormatError` when elements cannot be read.
  init?(_ left: Tensor, _ right: Tensor) throws(FormatError) {
    let (ones, others): ([Double], [Double])
    do throws(FormatError) {
      (ones, others) = (try left.doubles(), try right.doubles())
    } catch {
      if error.kind == .unsupported || error.kind == .mismatch { return nil }
      throw error
    }
    var (scale, product, squares, otherSquares) = (0.0, 0.0, 0.0, 0.0)
    for (one, other) in zip(ones, others) {
      if one.isFinite { scale = max(scale, abs(one)) }
      product += one * other
      squares += one * one
      otherSquares += other * other
      if one == other || (one.isNaN && other.isNaN) { continue }
      let difference = abs(one - other)
      maximum = max(maximum, difference.isNaN ? .infinity : difference)
    }
    relative = scale > 0 ? maximum / scale : maximum
    cosine = product / (squares.squareRoot() * otherSquares.squareRoot())
  }
}

extension Tensor {
  /// `float32(2, 3)`.
  var typeText: String { elementType.name + Shape(shape).description }
}
