/// Computes what a graph does to its own constants: kernels transposed, scaled or cast by nodes.
enum WeightFolding {
  /// The first output of a node whose inputs are all constants. Elements are computed when they are asked for.
  ///
  /// - Throws: `FormatError` that names the node when it is none of the operators that exporters apply to weights.
  static func fold(_ node: Node, inputs: [Tensor?]) throws(FormatError) -> Tensor {
    do throws(FormatError) {
      if node.operatorType == "Constant" { return try constant(node) }
      guard let first = inputs.first ?? nil else { throw unsupported }
      switch node.operatorType {
      case "Identity", "Dropout": return first
      case "Cast":
        guard let type = node.elementType("to", default: .float32) else { throw unsupported }
        return try first.converted(to: type)
      case "Transpose":
        let order = node.ints("perm") ?? first.shape.indices.reversed()
        return try first.transposed(order)
      case "Reshape", "Squeeze", "Unsqueeze", "Flatten":
        return try reshaped(node, first, inputs)
      case "Sqrt": return try map(first) { $0.squareRoot() }
      case "Neg": return try map(first) { -$0 }
      case "Reciprocal": return try map(first) { 1 / $0 }
      case "Add": return try combine(first, inputs) { $0 + $1 }
      case "Sub": return try combine(first, inputs) { $0 - $1 }
      case "Mul": return try combine(first, inputs) { $0 * $1 }
      case "Div": return try combine(first, inputs) { $0 / $1 }
      case "Max": return try combine(first, inputs) { max($0, $1) }
      case "Min": return try combine(first, inputs) { min($0, $1) }
      default: throw unsupported
      }
    } catch {
      throw FormatError(error.kind, error.message, at: "node \(node.label)")
    }
  }

  private static var unsupported: FormatError {
    FormatError(.unsupported, "this computation on constants is not folded into weights")
  }

  private static func constant(_ node: Node) throws(FormatError) -> Tensor {
    guard let attribute = node.attributes.first else { throw unsupported }
    switch attribute.value {
    case .tensor(let tensor): return tensor
    case .float(let value): return Tensor([value], shape: [])
    case .int(let value): return Tensor([value], shape: [])
    case .floats(let values): return Tensor(values)
    case .ints(let values): return Tensor(values)
    default: throw unsupported
    }
  }

  /// Shape inference knows what these make of a constant.
  private static func reshaped(_ node: Node, _ first: Tensor, _ inputs: [Tensor?]) throws(FormatError) -> Tensor {
    var inference = ShapeInference(operatorSets: [OperatorSetImport(version: node.attributes.isEmpty ? 21 : 11)])
    for (name, tensor) in zip(node.inputs, inputs) {
      if let tensor { inference.addInitializer(Initializer(name: name, tensor: tensor)) }
    }
    guard let shape = try inference.add(node).first?.shape?.extents else { throw unsupported }
    return try first.reshaped(to: shape)
  }

  private static func map(_ tensor: Tensor, _ change: @escaping @Sendable (Double) -> Double) throws(FormatError)
    -> Tensor
  {
    let wide = Tensor(try tensor.doubles().map(change), shape: tensor.shape)
    return try wide.converted(to: tensor.elementType)
  }

  /// Two tensors of one shape, or one with a single element.
  private static func combine(
    _ left: Tensor, _ inputs: [Tensor?], _ join: (Double, Double) -> Double
  ) throws(FormatError) -> Tensor {
    guard inputs.count == 2, let right = inputs[1] else { throw unsupported }
    let (a, b) = (try left.doubles(), try right.doubles())
    let shape = a.count >= b.count ? left.shape : right.shape
    guard left.shape == right.shape || a.count == 1 || b.count == 1 else { throw unsupported }
    let count = max(a.count, b.count)
    let values = (0..<count).map { join(a[a.count == 1 ? 0 : $0], b[b.count == 1 ? 0 : $0]) }
    return try Tensor(values, shape: shape).converted(to: left.elementType)
  }
}

extension Tensor {
  /// The tensor with its axes in another order, made when it is asked for.
  ///
  /// - Throws: `FormatError` when the order is none of the tensor's axes.
  package func transposed(_ order: [Int]) throws(FormatError) -> Tensor {
    guard order.sorted() == Array(shape.indices), let width = elementType.bitWidth, width % 8 == 0 else {
      throw FormatError(.mismatch, "axes of \(Shape(shape)) cannot be put into the order \(order)")
    }
    if order == Array(shape.indices) || shape.count < 2 { return self }
    let source = self
    let target = order.map { shape[$0] }
    var strides = [Int](repeating: width / 8, count: shape.count)
    for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
    let steps = order.map { strides[$0] }
    let load: @Sendable () throws(FormatError) -> AlignedBytes = { () throws(FormatError) in
      let region = try source.region(named: source.name)
      // The transpose takes as much memory again.
      defer { region.giveBack(0..<region.count) }
      return try unsafe region.withBytes { (bytes) throws(FormatError) in
        try unsafe AlignedBytes(count: bytes.count) { buffer in
          var index = [Int](repeating: 0, count: target.count)
          var from = 0
          let element = width / 8
          for to in stride(from: 0, to: bytes.count, by: element) {
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[to..<to + element])
              .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[from..<from + element]))
            for axis in target.indices.reversed() {
              index[axis] += 1
              from += steps[axis]
              if index[axis] < target[axis] { break }
              from -= steps[axis] * target[axis]
              index[axis] = 0
            }
          }
        }
      }
    }
    var tensor = try Tensor(
      elementType: elementType, shape: target, storage: .deferred(byteCount: byteCount, load: load))
    tensor.origin = origin?.reordered(order, from: shape)
    return tensor
  }
}
