/// Initializers: what they hold and whether anything reads them.
extension ModelValidator {
  mutating func checkConstants(readingElements: Bool) {
    let graph = model.graph
    let inputs = Set(graph.inputs.map(\.name))
    var used = Set(graph.outputs.map(\.name))
    for index in graph.nodes.indices { used.formUnion(body.readNames(of: index)) }
    // Training steps name the state that they change.
    for training in model.trainingInfo {
      used.formUnion(training.initializationBindings.keys + training.updateBindings.keys)
    }
    for initializer in graph.initializers {
      let place = "initializer \"\(initializer.name)\""
      if model.irVersion < 4, !inputs.contains(initializer.name) {
        let message = "format version \(model.irVersion) wants every initializer among the inputs"
        add(.warning, "initializer-not-input", message, at: place)
      }
      if !used.contains(initializer.name) { add(.note, "unused-initializer", "nothing reads it", at: place) }
      if readingElements { checkElements(of: initializer.tensor, at: place) }
    }
    for (name, tensor) in graph.sparseInitializers { check(tensor, at: "initializer \"\(name)\"") }
  }

  private mutating func checkElements(of tensor: Tensor, at place: String) {
    guard tensor.elementType.isFloatingPoint else { return }
    do throws(FormatError) {
      let statistics = try TensorStatistics(tensor)
      if statistics.nan > 0 {
        add(.warning, "nan-weights", "\(statistics.nan) of \(tensor.count) elements are NaN", at: place)
      }
      // Masks hold infinities on purpose.
      if statistics.infinite > 0 {
        add(.note, "infinite-weights", "\(statistics.infinite) of \(tensor.count) elements are infinite", at: place)
      }
    } catch {
      guard error.kind != .unsupported else { return }
      add(.error, "unreadable-weight", error.message, at: place)
    }
  }

  /// A tensor in coordinate form: one position for each value, inside of the shape and in order.
  private mutating func check(_ tensor: SparseTensor, at place: String) {
    func wrong(_ message: String) { add(.error, "malformed-sparse-tensor", message, at: place) }
    guard let count = checkedProduct(tensor.shape) else {
      return wrong("its shape \(tensor.shape) is negative or too large")
    }
    guard tensor.values.shape.count == 1 else { return wrong("its values have shape \(Shape(tensor.values.shape))") }
    let stored = tensor.values.count
    let isLinear = tensor.indices.shape == [stored]
    guard isLinear || tensor.indices.shape == [stored, tensor.shape.count], tensor.indices.elementType == .int64 else {
      return wrong("\(stored) values have positions of shape \(Shape(tensor.indices.shape))")
    }
    guard let positions = try? tensor.indices.elements(as: Int64.self) else {
      return wrong("its positions cannot be read")
    }
    let isInside =
      isLinear
      ? positions.allSatisfy { $0 >= 0 && $0 < count }
      : positions.indices.allSatisfy { index in
        positions[index] >= 0 && positions[index] < tensor.shape[index % tensor.shape.count]
      }
    if !isInside { wrong("a position is outside of its shape \(Shape(tensor.shape))") }
  }
}
