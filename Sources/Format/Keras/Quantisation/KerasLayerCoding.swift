/// The variables of one layer as Keras 3 stores them after quantising it.
struct KerasLayerCoding {
  static let classNames: Set = ["Dense", "EinsumDense", "Embedding"]

  /// The name of the matrix: `kernel` or `embeddings`.
  let matrixName: String
  /// The matrix and what belongs to it, by name.
  private(set) var variables: [String: Tensor] = [:]
  /// What the matrix lost.
  private(set) var error = ErrorSums()
  private(set) var scales: ClosedRange<Float> = 1...1
  /// Bits that an element takes, with its share of the rest.
  var bits: Double {
    let bytes = variables.filter { $0.key != "g_idx" }.values.reduce(0) { $0 + $1.byteCount }
    return error.count == 0 ? 0 : Double(bytes) * 8 / Double(error.count)
  }

  /// Why a layer is not rounded; `nil` when it can be.
  static func refusal(of layer: KerasLayer, _ mode: KerasQuantiser.Mode) -> String? {
    let policy = layer.configuration.policy
    if policy.quantizationMode != nil { return "it is quantised already" }
    if policy.variable != .float32 { return "its variables are \(policy.variable.name)" }
    let matrix = layer.className == "Embedding" ? "embeddings" : "kernel"
    guard layer.weights.keys.allSatisfy({ [matrix, "bias"].contains($0) }) else {
      return "it has variables besides its matrix and bias"
    }
    guard let tensor = try? layer.weights[matrix]?.tensor(), tensor.elementType == .float32, tensor.count > 0 else {
      return "its matrix is missing or not float32"
    }
    guard layer.className == "EinsumDense" else { return tensor.shape.count == 2 ? nil : "its matrix has other axes" }
    guard let equation = layer.configuration.string("equation").flatMap(EinsumEquationText.init),
      Set(equation.kernel).count == tensor.shape.count
    else { return "its equation is not understood" }
    // Keras 3.15 stops when it builds such a layer quantised.
    if equation.text.contains(".") { return "its equation has an ellipsis" }
    return rowLabels(equation).isEmpty ? "its equation sums over nothing" : nil
  }

  /// Rounds the matrix of a layer that `refusal` lets pass.
  init(_ layer: KerasLayer, _ mode: KerasQuantiser.Mode) throws(FormatError) {
    matrixName = layer.className == "Embedding" ? "embeddings" : "kernel"
    guard let matrix = try layer.weights[matrixName]?.tensor() else {
      throw FormatError(.missing, "its \(matrixName) is missing")
    }
    switch layer.className {
    case "Embedding": try encode(matrix, mode, outputs: 0)
    case "EinsumDense":
      guard let equation = layer.configuration.string("equation").flatMap(EinsumEquationText.init) else {
        throw FormatError(.unsupported, "its equation is not understood")
      }
      try encode(matrix, equation, mode)
    default: try encode(matrix, mode, outputs: 1)
    }
  }

  private static func rowLabels(_ equation: EinsumEquationText) -> [Character] {
    equation.kernel.filter { !equation.output.contains($0) }
  }

  /// A matrix with outputs along an axis.
  private mutating func encode(
    _ matrix: Tensor, _ mode: KerasQuantiser.Mode, outputs: Int
  ) throws(FormatError) {
    let inputs = 1 - outputs
    let grouping: ScaleGrouping = mode.blockSize.map { .blocks(axis: inputs, size: $0) } ?? .axis(outputs)
    var coding = WeightCoding(mode.bits == 8 ? .int8 : .int4, isSymmetric: mode.blockSize == nil, grouping: grouping)
    coding.rule = mode.blockSize == nil ? .reciprocal : .step
    coding.epsilon = 1e-7
    coding.isPacked = false
    let weight = try QuantisedWeight(matrix, coding)
    (error, scales) = (weight.error, weight.scaleRange)
    variables[matrixName] = mode.bits == 8 ? weight.codes : try Self.packed(weight.codes)
    variables["\(matrixName)_scale"] = weight.scale
    guard let size = mode.blockSize else { return }
    variables["\(matrixName)_zero"] =
      weight.zeroPoint ?? Tensor([Int8](repeating: 0, count: weight.scale.count), shape: weight.scale.shape)
    variables["g_idx"] = Tensor((0..<matrix.shape[inputs]).map { Float($0 / size) })
  }

  /// The kernel of an equation. Of 8 bits it keeps its shape; of 4 bits it is the matrix that its elements are in order, as
  /// many rows as the labels summed over have.
  private mutating func encode(
    _ kernel: Tensor, _ equation: EinsumEquationText, _ mode: KerasQuantiser.Mode
  ) throws(FormatError) {
    let labels = Array(equation.kernel)
    let rows = labels.indices.filter { !equation.output.contains(labels[$0]) }
    let columns = labels.indices.filter { equation.output.contains(labels[$0]) }
    func extent(_ axes: [Int]) -> Int { axes.reduce(1) { $0 * kernel.shape[$1] } }
    guard mode.bits == 8 else {
      return try encode(kernel.reshaped(to: [extent(rows), extent(columns)]), mode, outputs: 1)
    }
    let order = rows + columns
    let isOrdered = order == Array(labels.indices)
    let turned = isOrdered ? kernel : try kernel.transposed(order)
    try encode(turned.reshaped(to: [extent(rows), extent(columns)]), mode, outputs: 1)
    if let codes = variables[matrixName] {
      let back = labels.indices.map { axis in order.firstIndex(of: axis) ?? 0 }
      let shaped = try codes.reshaped(to: order.map { kernel.shape[$0] })
      variables[matrixName] = isOrdered ? shaped : try shaped.transposed(back)
    }
    // A scale broadcasts with the output: one number along every axis that the kernel does not have.
    guard let scale = variables["\(matrixName)_scale"] else { return }
    let output = (equation.isElidedInFront ? [Character(".")] : []) + equation.outputLabels
    let places = output.compactMap { label in columns.firstIndex { labels[$0] == label } }
    let ordered = try scale.reshaped(to: columns.map { kernel.shape[$0] }).transposed(places)
    let shape = output.map { label in labels.firstIndex(of: label).map { kernel.shape[$0] } ?? 1 }
    variables["\(matrixName)_scale"] = try ordered.reshaped(to: shape)
  }

  /// Pairs of columns in a byte, the lower half first; a last column by itself has nothing beside it.
  static func packed(_ codes: Tensor) throws(FormatError) -> Tensor {
    let (rows, columns) = (codes.shape[0], codes.shape[1])
    let width = (columns + 1) / 2
    let bytes = try unsafe codes.withBytes { (source) throws(FormatError) in
      try unsafe AlignedBytes(count: rows * width) { target in
        for row in 0..<rows {
          for column in 0..<columns {
            let code = unsafe source[row &* columns &+ column] & 15
            unsafe target[row &* width &+ column / 2] |= column % 2 == 0 ? code : code << 4
          }
        }
      }
    }
    return try Tensor(elementType: .int8, shape: [rows, width], storage: .owned(bytes))
  }
}
