import NNFormat

/// What `ai.onnx.ml` does to features before a network, and to class scores after it.
package enum FeatureOperators {
  package static let domain = "ai.onnx.ml"

  package static let rows: [OperatorImplementation] = [
    row("Scaler") { context throws(EngineError) in
      let options = ScalerOptions(
        offset: context.node.floats("offset") ?? [0], scale: context.node.floats("scale") ?? [1])
      return try ScalarTypes.numeric(context.type(0), ScalerMaker(options: options), context)
    },
    row("Normalizer") { context throws(EngineError) in
      guard let norm = NormalizerOptions.Norm(rawValue: context.node.text("norm", default: "MAX")) else {
        throw context.invalid("the norm is neither MAX nor L1 nor L2")
      }
      return try ScalarTypes.numeric(
        context.type(0), NormalizerMaker(options: NormalizerOptions(norm: norm)), context)
    },
    row("Binarizer") { context throws(EngineError) in
      let maker = BinarizerMaker(threshold: Double(context.float("threshold", default: 0)))
      return try ScalarTypes.numeric(context.type(0), maker, context)
    },
    row("Imputer") { context throws(EngineError) in
      try ScalarTypes.numeric(context.type(0), ImputerMaker(node: context.node), context)
    },
    row("OneHotEncoder", make: oneHot),
    row("ArrayFeatureExtractor") { context throws(EngineError) in
      let type = try context.type(0)
      guard try context.type(1) == .int64 else { throw context.unsupported(try context.type(1)) }
      return ChosenFeaturesStep(
        gather: GatherStep<Int64>(outputTypes: [type], axis: -1, width: try StridedCopy.width(type, context)))
    },
    row("FeatureVectorizer") { context throws(EngineError) in
      try ScalarTypes.numeric(context.commonType(), VectorizerMaker(), context)
    },
    // A sequence of maps from class to score, as the matrix of the scores.
    row("ZipMap") { context throws(EngineError) in
      AliasStep(try context.type(0)) { inputs throws(EngineError) in try inputs.shape(0) }
    },
  ]

  static func row(
    _ name: String, since version: Int = 1, make: @escaping OperatorImplementation.Maker
  ) -> OperatorImplementation {
    OperatorImplementation(name, domain: domain, since: version, make: make)
  }

  @Sendable private static func oneHot(_ context: NodeContext) throws(EngineError) -> any Step {
    let allowsUnknown = context.int("zeros", default: 1) != 0
    if try context.type(0) == .string {
      let categories = try StringTable(context.node.strings("cats_strings") ?? [])
      return CategoryStep<StringElement, StringElement>(
        categories: categories.elements, allowsUnknown: allowsUnknown, keeping: categories
      ) { $0 }
    }
    guard let categories = context.node.ints("cats_int64s") else { throw context.invalid("cats_int64s is missing") }
    let maker = OneHotMaker(categories: categories.map(Int64.init), allowsUnknown: allowsUnknown)
    return try ScalarTypes.numeric(context.type(0), maker, context)
  }
}

extension Node {
  /// A list of floats, when the node has it.
  func floats(_ name: String) -> [Float]? {
    if case .floats(let values) = attribute(name) { values } else { nil }
  }
}

/// Rows along the last axis and what is the same for all of them.
struct FeatureRows {
  let rows: Int
  let columns: Int

  init(_ shape: [Int]) throws(EngineError) {
    let count = try Extents.count(shape)
    columns = shape.last ?? 1
    rows = columns == 0 ? 0 : count / columns
  }

  /// Checks that a list has one entry, or one for each column.
  func check(_ name: String, _ count: Int) throws(EngineError) {
    guard count == 1 || count == columns else {
      throw EngineError(.shapeMismatch, "\(name) has \(count) entries for \(columns) features")
    }
  }
}

/// (x - offset) * scale with one of each a column, or one for all.
struct ScalerOptions: Sendable {
  let offset: [Float]
  let scale: [Float]
}

private struct ScalerMaker: ArithmeticOperators.StepMaker {
  let options: ScalerOptions

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    ScalerStep<T>(options: options) { value, offset, scale in Float((Double(value) - Double(offset)) * Double(scale)) }
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step {
    ScalerStep<T>(options: options) { value, offset, scale in Float((value - T(offset)) * T(scale)) }
  }
}

private struct ScalerStep<T: TensorScalar>: Step {
  let options: ScalerOptions
  let function: @Sendable (T, Float, Float) -> Float
  let outputTypes: [ElementType] = [.float32]
  let kernel = "scaler"

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let features = try FeatureRows(shape)
    try features.check("offset", options.offset.count)
    try features.check("scale", options.scale.count)
    let count = features.rows * features.columns
    let (options, function) = (options, function)
    return Work([shape]) { (memory) throws(EngineError) in
      let source = memory.input(0, T.self, count: count)
      let target = memory.output(0, Float.self, count: count)
      for index in 0..<count {
        let column = index % features.columns
        target[index] = function(
          source[index], options.offset[options.offset.count == 1 ? 0 : column],
          options.scale[options.scale.count == 1 ? 0 : column])
      }
    }
  }
}

/// Each row divided by its largest value, the sum of magnitudes or the root of the sum of squares; by 1 where that is 0.
struct NormalizerOptions: Sendable {
  enum Norm: String, Sendable { case max = "MAX", l1 = "L1", l2 = "L2" }
  let norm: Norm

  func divisor(_ values: some Sequence<Double>) -> Double {
    let result =
      switch norm {
      case .max: values.reduce(-.infinity) { Swift.max($0, $1) }
      case .l1: values.reduce(0) { $0 + $1.magnitude }
      case .l2: values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      }
    return result == 0 ? 1 : result
  }
}

private struct NormalizerMaker: ArithmeticOperators.StepMaker {
  let options: NormalizerOptions
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    NormalizerStep<T>(options: options) { Double($0) }
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step { NormalizerStep<T>(options: options) { Double($0) } }
}

private struct NormalizerStep<T: TensorScalar>: Step {
  let options: NormalizerOptions
  let read: @Sendable (T) -> Double
  let outputTypes: [ElementType] = [.float32]
  let kernel = "normalizer"

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let features = try FeatureRows(shape)
    let columns = features.columns
    let (options, read) = (options, read)
    return Work([shape]) { (memory) throws(EngineError) in
      let source = memory.input(0, T.self, count: features.rows * columns)
      let target = memory.output(0, Float.self, count: features.rows * columns)
      for row in 0..<features.rows {
        let places = row * columns..<(row + 1) * columns
        let divisor = options.divisor(places.lazy.map { read(source[$0]) })
        for index in places { target[index] = Float(read(source[index]) / divisor) }
      }
    }
  }
}

private struct BinarizerMaker: ArithmeticOperators.StepMaker {
  let threshold: Double

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    let threshold = threshold
    return UnaryStep("binarizer", T.self, T.self) { Double($0) > threshold ? 1 : 0 }
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step {
    let threshold = threshold
    return UnaryStep("binarizer", T.self, T.self) { Double($0) > threshold ? 1 : 0 }
  }
}

private struct ImputerMaker: ArithmeticOperators.StepMaker {
  let node: Node

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    let missing = T(truncatingIfNeeded: node.int("replaced_value_int64", default: 0))
    let values = (node.ints("imputed_value_int64s") ?? []).map { T(truncatingIfNeeded: $0) }
    return ImputerStep<T>(values: values) { $0 == missing }
  }

  func visit<T: RealScalar>(_: T.Type) -> any Step {
    let missing = T(node.float("replaced_value_float", default: 0))
    let values = (node.floats("imputed_value_floats") ?? []).map { T($0) }
    return ImputerStep<T>(values: values) { missing.isNaN ? $0.isNaN : $0 == missing }
  }
}

/// Values in the place of missing ones, one a column or one for all.
private struct ImputerStep<T: TensorScalar>: Step {
  let values: [T]
  let isMissing: @Sendable (T) -> Bool
  let kernel = "imputer"

  var outputTypes: [ElementType] { [T.elementType] }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let features = try FeatureRows(shape)
    try features.check("the list of imputed values", values.count)
    let count = features.rows * features.columns
    let (values, isMissing) = (values, isMissing)
    return Work([shape], inPlaceInputs: [0]) { (memory) throws(EngineError) in
      let source = memory.input(0, T.self, count: count)
      let target = memory.output(0, T.self, count: count)
      for index in 0..<count {
        let value = source[index]
        target[index] = isMissing(value) ? values[values.count == 1 ? 0 : index % features.columns] : value
      }
    }
  }
}

private struct OneHotMaker: ArithmeticOperators.StepMaker {
  let categories: [Int64]
  let allowsUnknown: Bool

  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step {
    CategoryStep<T, Int64>(categories: categories, allowsUnknown: allowsUnknown) { Int64(truncatingIfNeeded: $0) }
  }
  func visit<T: RealScalar>(_: T.Type) -> any Step {
    CategoryStep<T, Int64>(categories: categories, allowsUnknown: allowsUnknown) {
      Int64(saturating: Double($0).rounded(.towardZero))
    }
  }
}

/// A new last axis with 1 at the category of an element.
struct CategoryStep<T: TensorScalar, Category: Hashable & Sendable>: Step {
  private let places: [Category: Int]
  private let count: Int
  private let allowsUnknown: Bool
  private let category: @Sendable (T) -> Category
  /// Holds the strings of the categories.
  private let table: StringTable?

  let outputTypes: [ElementType] = [.float32]
  let kernel = "one hot"

  /// - Parameter allowsUnknown: whether an unknown category gives zeros; otherwise it is an error.
  init(
    categories: [Category], allowsUnknown: Bool, keeping table: StringTable? = nil,
    category: @escaping @Sendable (T) -> Category
  ) {
    places = Dictionary(zip(categories, categories.indices), uniquingKeysWith: { first, _ in first })
    count = categories.count
    self.allowsUnknown = allowsUnknown
    self.category = category
    self.table = table
  }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let shape = try inputs.shape(0)
    let elements = try Extents.count(shape)
    let total = try Extents.count(shape + [count])
    let (places, width, allowsUnknown, category) = (places, count, allowsUnknown, category)
    return Work([shape + [width]]) { (memory) throws(EngineError) in
      let source = memory.input(0, T.self, count: elements)
      let target = memory.output(0, Float.self, count: total)
      for index in 0..<total { target[index] = 0 }
      for index in 0..<elements {
        if let place = places[category(source[index])] {
          target[index * width + place] = 1
        } else if !allowsUnknown {
          throw EngineError(.invalidInput, "element \(index) is none of the categories")
        }
      }
    }
  }
}

/// The places of the last axis that input 1 lists; a vector counts as one row.
private struct ChosenFeaturesStep: Step {
  let gather: GatherStep<Int64>

  var outputTypes: [ElementType] { gather.outputTypes }
  var kernel: String { gather.kernel }

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    let (values, indices) = (try inputs.view(0), try inputs.view(1))
    guard !values.shape.isEmpty else { throw EngineError(.shapeMismatch, "a scalar has no features") }
    let shape = values.shape.count == 1 ? [1] + values.shape : values.shape
    return unsafe try gather.resolve(
      StepInputs([
        InputView(elementType: values.elementType, shape: shape, contents: values.contents),
        InputView(elementType: .int64, shape: [indices.count], contents: indices.contents),
      ]))
  }
}

private struct VectorizerMaker: ArithmeticOperators.StepMaker {
  func visit<T: FixedWidthInteger & TensorScalar>(_: T.Type) -> any Step { VectorizerStep<T> { Float($0) } }
  func visit<T: RealScalar>(_: T.Type) -> any Step { VectorizerStep<T> { Float($0) } }
}

/// Matrices beside each other as float32; a vector counts as one row.
private struct VectorizerStep<T: TensorScalar>: Step {
  let read: @Sendable (T) -> Float
  let outputTypes: [ElementType] = [.float32]
  let kernel = "join"

  func resolve(_ inputs: StepInputs) throws(EngineError) -> Work {
    var widths: [Int] = []
    var rows: Int?
    for index in 0..<inputs.count {
      let shape = try inputs.shape(index)
      let own = shape.count == 2 ? shape[0] : 1
      guard shape.count == 1 || shape.count == 2, rows == nil || rows == own else {
        throw EngineError(.shapeMismatch, "input \(index) of shape \(Shape(shape)) does not fit beside the others")
      }
      rows = own
      widths.append(shape[shape.count - 1])
    }
    let shape = [rows ?? 0, widths.reduce(0, +)]
    let count = try Extents.count(shape)
    let (read, rowCount) = (read, rows ?? 0)
    return Work([shape]) { (memory) throws(EngineError) in
      let target = memory.output(0, Float.self, count: count)
      var start = 0
      for (index, width) in widths.enumerated() {
        let source = memory.input(index, T.self, count: rowCount * width)
        for row in 0..<rowCount {
          for column in 0..<width { target[row * shape[1] + start + column] = read(source[row * width + column]) }
        }
        start += width
      }
    }
  }
}
