import CAllocationCount
import NNEngine
import NNFormat

/// Counts what predictions in the steady state allocate, one line for each network, number of threads and batch:
/// `digits 2 16: 0`, the blocks of all runs together, and the same for steps of training, `train digits 2 16: 0`. The line
/// `control` counts a run that has to allocate.
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
          let steps = try trainingCount(model, batch, inputShape, classes: widths[widths.count - 1], threads)
          print("train \(name) \(threads) \(batch): \(steps)")
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

  /// Blocks that five steps of training ask for after the first two.
  static func trainingCount(
    _ model: Model, _ batch: Int, _ inputShape: [Int], classes: Int, _ threads: Int
  ) throws -> Int {
    var settings = TrainingSettings(loss: Loss(.sparseCategoricalCrossEntropy), optimizer: .adam())
    settings.metrics = [.accuracy]
    let trainer = try Trainer(model, settings: settings, options: EngineOptions(threads: threads))
    let shape = [7 * batch] + inputShape
    let rows = try TrainingArrays(
      inputs: [Tensor([Float](repeating: 0.25, count: shape.reduce(1, *)), shape: shape)],
      targets: Tensor((0..<7 * batch).map { Float($0 % classes) }))
    var position = TrainingPosition()
    var (steps, before, after) = (0, UInt64(0), UInt64(0))
    _ = try trainer.trainEpoch(rows, batch: batch, epochs: 1, position: &position) { _ in
      steps += 1
      if steps == 2 { before = UInt64(allocation_count()) }
      if steps == 7 { after = UInt64(allocation_count()) }
      return .proceed
    }
    return Int(after - before)
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
