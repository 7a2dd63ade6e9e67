import NNEngine
import NNFormat

/// Rows of a data file, as inputs and targets.
public struct LabelledData: Sendable {
  /// The inputs in the network's order.
  public var inputs: [Tensor]
  /// The targets.
  public var targets: Tensor
  /// The targets of several outputs, in their order; empty for one output.
  public var outputTargets: [Tensor] = []
  /// How much each row counts.
  public var weights: Tensor?
  /// The names of the classes, when the file has names.
  public var classNames: [String]?
  /// Rows that could not be read and were left out.
  public var skipped = 0
  /// For each column of a table its words, `nil` for columns of numbers; `nil` for other files.
  public var words: [[String]?]?

  /// Rows from their parts.
  public init(inputs: [Tensor], targets: Tensor, weights: Tensor? = nil, classNames: [String]? = nil) {
    (self.inputs, self.targets, self.weights, self.classNames) = (inputs, targets, weights, classNames)
  }

  /// The rows for a trainer of several outputs.
  ///
  /// - Parameter widths: the last extent of each output.
  /// - Throws: `FormatError` of kind `mismatch` that names the row whose class the network does not have.
  public func rows(
    for outputs: [TrainingOutput], widths: [Int], file: String
  ) throws(FormatError) -> TrainingArrays {
    guard outputTargets.count == outputs.count, widths.count == outputs.count else {
      throw FormatError(
        .mismatch, "has targets for \(outputTargets.count) outputs, the network has \(outputs.count)", file: file)
    }
    var targets: [Tensor] = []
    for (place, output) in outputs.enumerated() {
      var part = self
      part.targets = outputTargets[place]
      targets.append(try part.targets(for: output.loss, outputCount: widths[place], file: file))
    }
    do throws(EngineError) {
      return try TrainingArrays(inputs: inputs, targets: targets, weights: weights)
    } catch {
      throw FormatError(.mismatch, error.message, file: file)
    }
  }

  /// The rows for a trainer: targets as class numbers or spread over the classes, whichever the loss needs.
  ///
  /// - Throws: `FormatError` of kind `mismatch` that names the row whose class the network does not have.
  public func rows(for loss: Loss, outputCount: Int, file: String) throws(FormatError) -> TrainingArrays {
    let targets = try targets(for: loss, outputCount: outputCount, file: file)
    do throws(EngineError) {
      return try TrainingArrays(inputs: inputs, targets: targets, weights: weights)
    } catch {
      throw FormatError(.mismatch, error.message, file: file)
    }
  }

  private func targets(for loss: Loss, outputCount: Int, file: String) throws(FormatError) -> Tensor {
    var targets = self.targets
    let perRow = targets.shape.dropFirst().reduce(1, *)
    if loss.takesClasses, perRow == outputCount, outputCount > 1 {
      targets = try Self.classes(of: targets, width: outputCount)
    } else if !loss.takesClasses, perRow == 1, outputCount > 1 {
      targets = try Self.spread(targets, width: outputCount, file: file)
    }
    if loss.takesClasses { try Self.check(targets, below: outputCount, file: file) }
    return targets
  }

  private static func check(_ targets: Tensor, below limit: Int, file: String) throws(FormatError) {
    let width = max(targets.shape.dropFirst().reduce(1, *), 1)
    for (place, value) in try targets.doubles().enumerated()
    where !(value >= 0 && value < Double(limit) && value == value.rounded()) {
      throw FormatError(
        .mismatch, "the label \(Self.text(value)) is none of the network's classes 0 to \(limit - 1)", file: file,
        at: "row \(place / width + 1)")
    }
  }

  private static func text(_ value: Double) -> String { Int(exactly: value).map(String.init) ?? "\(value)" }

  private static func spread(_ targets: Tensor, width: Int, file: String) throws(FormatError) -> Tensor {
    try check(targets, below: width, file: file)
    let labels = try targets.doubles()
    var values = [Float](repeating: 0, count: labels.count * width)
    for (row, label) in labels.enumerated() { values[row * width + Int(label)] = 1 }
    return Tensor(values, shape: [labels.count, width])
  }

  private static func classes(of targets: Tensor, width: Int) throws(FormatError) -> Tensor {
    let values = try targets.doubles()
    let labels = (0..<values.count / width).map { row in
      Float((0..<width).max { values[row * width + $0] < values[row * width + $1] } ?? 0)
    }
    return Tensor(labels)
  }

  /// The rows' weights times those of their classes.
  public func weights(ofClasses factors: [Int: Float]) throws(FormatError) -> Tensor {
    let targets = try self.targets.doubles()
    let rows = self.targets.shape.first ?? 0
    let perRow = rows == 0 ? 1 : targets.count / rows
    let given = try weights?.converted(to: .float32).elements(as: Float.self)
    return Tensor(
      (0..<rows).map { row in
        let line = targets[row * perRow..<(row + 1) * perRow]
        let label =
          perRow == 1
          ? Int(exactly: line.first ?? 0) ?? -1
          : (line.indices.max { line[$0] < line[$1] } ?? row * perRow) - row * perRow
        return (factors[label] ?? 1) * (given?[row] ?? 1)
      })
  }

  /// Some of the rows.
  public func selecting(_ rows: [Int]) throws(FormatError) -> LabelledData {
    var result = self
    result.inputs = try inputs.map { (tensor) throws(FormatError) in try tensor.selecting(rows) }
    result.targets = try targets.selecting(rows)
    result.outputTargets = try outputTargets.map { (tensor) throws(FormatError) in try tensor.selecting(rows) }
    result.weights = try weights.map { (tensor) throws(FormatError) in try tensor.selecting(rows) }
    return result
  }
}

extension Tensor {
  fileprivate func selecting(_ rows: [Int]) throws(FormatError) -> Tensor {
    var parts: [Tensor] = []
    for row in rows { parts.append(try self.rows(row..<row + 1)) }
    return parts.isEmpty ? try self.rows(0..<0) : try Tensor.joined(parts)
  }
}

/// Reads rows to train on: `.npz` with x and y, a pair of `.npy`, CSV with a target column.
public enum DataFile {
  /// Reads a file.
  ///
  /// - Parameters:
  ///   - targets: a `.npy` with the targets of a `.npy`.
  ///   - target: the name or number of the target column of a CSV.
  ///   - skipsBad: whether rows that cannot be read are counted and left out.
  ///   - outputs: the names of several outputs, whose targets are arrays of these names.
  ///   - words: the words of the table that is trained on, so that another one is read alike.
  /// - Throws: `FormatError` that names the file and the row.
  public static func read(
    _ path: String, targets: String?, target: String?, skipsBad: Bool, inputs: [Value], outputs: [String] = [],
    words: [[String]?]? = nil
  ) throws(FormatError) -> LabelledData {
    if path.hasSuffix(".csv") || path.hasSuffix(".tsv") {
      guard let input = inputs.first, inputs.count == 1 else {
        throw FormatError(.mismatch, "a table feeds networks of one input", file: path)
      }
      return try LabelledTable.read(path, target: target, skipsBad: skipsBad, input: input, words: words)
    }
    let data = try TensorInput.read(path)
    if case .tensor(let x) = data {
      guard let targets, case .tensor(let y) = try TensorInput.read(targets) else {
        throw FormatError(
          .missing, "holds one array; training needs targets, too", file: path, advice: "Name their .npy with --targets"
        )
      }
      return try labelled([x], y, nil, inputs, path)
    }
    guard case .named(let arrays) = data else {
      throw FormatError(
        .unrecognized, "is no data to train on", file: path, advice: "Give .npz, .npy, .csv or a folder")
    }
    if let first = outputs.first {
      guard let y = arrays[first], outputs.allSatisfy({ arrays[$0] != nil }) else {
        throw FormatError(
          .missing, "has no array for each output, \(outputs.joined(separator: " and "))", file: path)
      }
      let named = inputs.compactMap { arrays[$0.name] }
      var data = try labelled(
        named.count == inputs.count ? named : [arrays["x"]].compactMap(\.self), y,
        arrays["sample_weight"] ?? arrays["weights"], inputs, path)
      data.outputTargets = outputs.compactMap { arrays[$0] }
      return data
    }
    guard let y = arrays["y"] ?? arrays["y_train"] ?? arrays["labels"] ?? arrays["targets"] else {
      throw FormatError(
        .missing, "has no array \"y\" among \(arrays.keys.joined(separator: ", "))", file: path)
    }
    let weights = arrays["sample_weight"] ?? arrays["weights"]
    if inputs.allSatisfy({ arrays[$0.name] != nil }), !inputs.isEmpty {
      return try labelled(inputs.compactMap { arrays[$0.name] }, y, weights, inputs, path)
    }
    guard let x = arrays["x"] ?? arrays["x_train"] ?? arrays["images"] else {
      throw FormatError(
        .missing, "has no array \"x\" among \(arrays.keys.joined(separator: ", "))", file: path)
    }
    return try labelled([x], y, weights, inputs, path)
  }

  /// Tensors as rows for the inputs of a network: of their element types and shapes.
  static func labelled(
    _ tensors: [Tensor], _ y: Tensor, _ weights: Tensor?, _ inputs: [Value], _ path: String
  ) throws(FormatError) -> LabelledData {
    guard tensors.count == inputs.count else {
      throw FormatError(.mismatch, "the network has \(inputs.count) inputs, the file \(tensors.count)", file: path)
    }
    var converted: [Tensor] = []
    for (tensor, input) in zip(tensors, inputs) {
      let rows = tensor.shape.first ?? 0
      guard y.shape.first == rows else {
        throw FormatError(
          .mismatch, "x has \(rows) rows, y has \(y.shape.first ?? 0)", file: path)
      }
      var tensor = try tensor.converted(to: input.elementType ?? .float32)
      let wanted = (input.shape?.dimensions.dropFirst()).map { $0.compactMap(\.value) } ?? []
      let extents = Array(tensor.shape.dropFirst())
      if wanted.count == (input.shape?.rank ?? 0) - 1, wanted != extents {
        guard wanted.reduce(1, *) == extents.reduce(1, *) else {
          throw FormatError(
            .mismatch, "rows of x have the shape \(Shape(extents)), the input \"\(input.name)\" takes \(Shape(wanted))",
            file: path)
        }
        tensor = try tensor.reshaped(to: [rows] + wanted)
      }
      converted.append(tensor)
    }
    return LabelledData(inputs: converted, targets: y, weights: weights)
  }
}
