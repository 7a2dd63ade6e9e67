/// Operators of `ai.onnx.ml` that stand around dense networks: what prepares features and names classes.
extension OperatorSchema {
  static let machineLearning: [OperatorSchema] = [
    feature("Scaler", [.floats("offset"), .floats("scale")], infer: InferenceRules.floatFeatures),
    feature("Normalizer", [.text("norm")], infer: InferenceRules.floatFeatures),
    feature("Binarizer", [.float("threshold")]),
    feature(
      "Imputer",
      [
        .floats("imputed_value_floats"), .ints("imputed_value_int64s"), .float("replaced_value_float"),
        .int("replaced_value_int64"),
      ]),
    feature(
      "OneHotEncoder", [.ints("cats_int64s"), .strings("cats_strings"), .int("zeros")],
      infer: InferenceRules.categories),
    feature("ArrayFeatureExtractor", inputs: 2...2, infer: InferenceRules.chosenFeatures),
    feature(
      "FeatureVectorizer", inputs: 1...unlimited, [.ints("inputdimensions")], infer: InferenceRules.joinedFeatures),
    feature("ZipMap", [.ints("classlabels_int64s"), .strings("classlabels_strings")]) { _ in },
    feature(
      "LabelEncoder", [.strings("classes_strings"), .int("default_int64"), .text("default_string")],
      infer: InferenceRules.labels),
    feature("LabelEncoder", since: 2, labelLists, infer: InferenceRules.labels),
    feature(
      "LabelEncoder", since: 4,
      labelLists + [
        AttributeRule("keys_tensor", .tensor), AttributeRule("values_tensor", .tensor),
        AttributeRule("default_tensor", .tensor),
      ], infer: InferenceRules.labels),
    feature(
      "LinearRegressor",
      [.floats("coefficients"), .floats("intercepts"), .int("targets"), .text("post_transform")],
      infer: InferenceRules.linearRegressor),
    feature(
      "LinearClassifier", outputs: 2...2,
      [
        AttributeRule("coefficients", .floats, required: true), .floats("intercepts"), .int("multi_class"),
        .text("post_transform"), .ints("classlabels_ints"), .strings("classlabels_strings"),
      ], infer: InferenceRules.linearClassifier),
  ]

  private static let labelLists: [AttributeRule] =
    [.strings("keys_strings"), .ints("keys_int64s"), .floats("keys_floats")]
    + [.strings("values_strings"), .ints("values_int64s"), .floats("values_floats")]
    + [.text("default_string"), .int("default_int64"), .float("default_float")]

  private static func feature(
    _ name: String, since version: Int = 1, inputs: ClosedRange<Int> = 1...1, outputs: ClosedRange<Int> = 1...1,
    _ attributes: [AttributeRule] = [], infer: @escaping InferenceRule = InferenceRules.sameAsInput
  ) -> OperatorSchema {
    OperatorSchema(
      name, domain: "ai.onnx.ml", since: version, inputs: inputs, outputs: outputs, attributes: attributes,
      infer: infer)
  }
}

extension AttributeRule {
  fileprivate static func floats(_ name: String) -> AttributeRule { AttributeRule(name, .floats) }
  fileprivate static func strings(_ name: String) -> AttributeRule { AttributeRule(name, .strings) }
}

/// Rules of feature preparation.
extension InferenceRules {
  /// The input's shape with float32 elements.
  static func floatFeatures(_ context: inout InferenceContext) { context.setOutput(.float32, context.shape(0)) }

  /// OneHotEncoder: the input's shape with an axis of categories behind it.
  static func categories(_ context: inout InferenceContext) {
    let count = context.node.listCount("cats_int64s") ?? context.node.listCount("cats_strings")
    context.setOutput(
      .float32, context.shape(0).map { Shape($0.dimensions + [count.map(Dimension.known) ?? .unknown]) })
  }

  /// ArrayFeatureExtractor: the input with only the chosen places of its last axis; a vector becomes one row.
  static func chosenFeatures(_ context: inout InferenceContext) {
    let count = context.shape(1).flatMap { Dimension.product($0.dimensions) } ?? .unknown
    context.setOutput(
      context.elementType(0),
      context.shape(0).map { Shape(($0.rank == 1 ? [1] : Array($0.dimensions.dropLast())) + [count]) })
  }

  /// FeatureVectorizer: matrices beside each other as float32.
  static func joinedFeatures(_ context: inout InferenceContext) throws(FormatError) {
    var columns: [Dimension] = []
    var rows = Dimension.unknown
    for index in context.inputs.indices {
      guard let shape = context.shape(index) else { return context.setOutput(.float32, nil) }
      guard shape.rank == 1 || shape.rank == 2 else {
        throw context.mismatch("input \(index) of shape \(shape) is no matrix")
      }
      rows = try context.unified(rows, shape.rank == 1 ? 1 : shape[0], "the rows of the inputs")
      columns.append(shape[shape.rank - 1])
    }
    context.setOutput(.float32, [rows, try context.sum(columns)])
  }

  /// LabelEncoder: the input's shape with elements of the type of the values.
  static func labels(_ context: inout InferenceContext) {
    let node = context.node
    var type: ElementType?
    if context.version < 2 {
      type = context.elementType(0).map { $0 == .string ? .int64 : .string }
    } else if case .tensor(let values) = node.attribute("values_tensor") {
      type = values.elementType
    } else {
      let lists: [(String, ElementType)] = [
        ("values_strings", .string), ("values_int64s", .int64), ("values_floats", .float32),
      ]
      type = lists.first { node.attribute($0.0) != nil }?.1
    }
    context.setOutput(type, context.shape(0))
  }

  static func linearRegressor(_ context: inout InferenceContext) {
    let targets = context.node.int("targets", default: 1)
    context.setOutput(.float32, context.shape(0).map { [$0.rank > 1 ? $0[0] : 1, .known(max(targets, 0))] })
  }

  /// LinearClassifier: a label and a row of scores for each row.
  static func linearClassifier(_ context: inout InferenceContext) {
    let texts = context.node.listCount("classlabels_strings")
    let count = texts ?? context.node.listCount("classlabels_ints")
    let rows = context.shape(0).map { $0.rank > 1 ? $0[0] : 1 }
    context.setOutput(0, texts == nil ? .int64 : .string, rows.map { [$0] })
    context.setOutput(1, .float32, rows.map { [$0, count.map(Dimension.known) ?? .unknown] })
  }
}

extension Node {
  /// The length of a list of integers or strings that is not empty.
  fileprivate func listCount(_ name: String) -> Int? {
    switch attribute(name) {
    case .ints(let values): values.isEmpty ? nil : values.count
    case .strings(let values): values.isEmpty ? nil : values.count
    default: nil
    }
  }
}
