import CAllocationCount
import NNEngine
import NNFormat

/// Counts what predictions in the steady state allocate, one line for each network, number of threads and batch:
/// `digits 2 16: 0`, the blocks of all runs together. The line `control` counts a run that has to allocate.
///
/// A program of its own, so that nothing else runs in the process.
@main struct AllocationProbe {
  /// The forms of the reference networks; the larger two are narrowed, and still wide enough to be shared by threads.
  static let networks: [(name: String, inputShape: [Int], widths: [Int])] = [
    ("flowers", [32, 32, 3], [500, 50, 5]),
    ("digits", [784], [512, 256, 10]),
    ("wide", [256], [1024, 1024, 250]),
    ("tiny", [13], [64, 32, 1]),
  ]

  static func main() throws {
    for (name, inputShape, widths) in networks {
      for threads in [1, 2] {
        let model = model(inputShape, widths)
        let network = try Network(model, options: EngineOptions(threads: threads))
        let context = network.makeContext()
        for batch in [1, 3, 16, 128] {
          let blocks = try count(context, batch, inputShape, outputs: widths[widths.count - 1])
          print("\(name) \(threads) \(batch): \(blocks)")
        }
        if threads == 1 { print("control \(name): \(try controlCount(context, inputShape))") }
      }
    }
  }

  /// Blocks that five predictions ask for after the first.
  static func count(
    _ context: ExecutionContext, _ batch: Int, _ inputShape: [Int], outputs: Int
  ) throws -> Int {
    let shape = [batch] + inputShape
    let input = [Float](repeating: 0.25, count: shape.reduce(1, *))
    var output = [Float](repeating: 0, count: batch * outputs)
    var span = output.mutableSpan
    try context.predict(input.span, shape: shape, into: &span)
    let before = allocation_count()
    for _ in 0..<5 { try context.predict(input.span, shape: shape, into: &span) }
    return Int(allocation_count() - before)
  }

  /// Blocks that one prediction into a new array asks for.
  static func controlCount(_ context: ExecutionContext, _ inputShape: [Int]) throws -> Int {
    let shape = [1] + inputShape
    let input = [Float](repeating: 0.25, count: shape.reduce(1, *))
    let before = allocation_count()
    _ = try context.predict(input, shape: shape)
    return Int(allocation_count() - before)
  }

  /// Flatten, then for each width Gemm and Relu, with Softmax at the end.
  static func model(_ inputShape: [Int], _ widths: [Int]) -> Model {
    var graph = Graph(name: "probe")
    let shape = Shape([.symbolic("batch")] + inputShape.map(Dimension.known))
    graph.inputs.append(Value(name: "x", elementType: .float32, shape: shape))
    graph.nodes.append(Node(name: "flatten", "Flatten", inputs: ["x"], outputs: ["h0"]))
    var depth = inputShape.reduce(1, *)
    for (layer, width) in widths.enumerated() {
      let weights = (0..<depth * width).map { Float($0 % 17) / 17 - 0.5 }
      graph.initializers.append(Initializer(name: "w\(layer)", tensor: Tensor(weights, shape: [depth, width])))
      graph.initializers.append(
        Initializer(name: "b\(layer)", tensor: Tensor([Float](repeating: 0.1, count: width), shape: [width])))
      graph.nodes.append(
        Node(name: "gemm\(layer)", "Gemm", inputs: ["h\(layer)", "w\(layer)", "b\(layer)"], outputs: ["g\(layer)"]))
      let isLast = layer == widths.count - 1
      graph.nodes.append(
        Node(
          name: "activation\(layer)", isLast ? "Softmax" : "Relu", inputs: ["g\(layer)"],
          outputs: [isLast ? "y" : "h\(layer + 1)"]))
      depth = width
    }
    graph.outputs.append(Value(name: "y"))
    return Model(graph: graph, operatorSets: [OperatorSetImport(version: 21)], irVersion: 10)
  }
}
