import NNEngine
import NNFormat
import Testing

@Suite struct DeterminismTests {
  @Test(arguments: [[300, 513, 130, 10], [13, 64, 32, 1], [784, 512, 256, 10]])
  func threadsAndBatchesChangeNoBit(widths: [Int]) throws {
    let model = classifier(widths).model
    var random = SeededGenerator(31)
    let rows = 67
    let input = try random.floats([rows, widths[0]]).elements(as: Float.self)
    let expected = try Network(model, options: EngineOptions(threads: 1)).predict(input, shape: [rows, widths[0]])
    for threads in [1, 2, 4] {
      let network = try Network(model, options: EngineOptions(threads: threads))
      #expect(
        try network.predict(input, shape: [rows, widths[0]]).values.map(\.bitPattern)
          == expected.values.map(\.bitPattern))
      for size in [1, 2, 3, 5, 8, 13, 17, 33] {
        var joined: [Float] = []
        for start in stride(from: 0, to: rows, by: size) {
          let end = min(start + size, rows)
          let part = Array(input[start * widths[0]..<end * widths[0]])
          joined += try network.predict(part, shape: [end - start, widths[0]]).values
        }
        #expect(joined.map(\.bitPattern) == expected.values.map(\.bitPattern), "threads \(threads), batches of \(size)")
      }
    }
  }

  @Test func concurrentCallersAgree() async throws {
    let network = try Network(classifier([64, 48, 10]).model)
    var random = SeededGenerator(32)
    let inputs = try (0..<8).map { _ in try random.floats([5, 64]).elements(as: Float.self) }
    let expected = try inputs.map { try network.predict($0, shape: [5, 64]) }
    try await withThrowingTaskGroup(of: (Int, Network.Prediction).self) { group in
      for round in 0..<64 {
        group.addTask { (round % 8, try network.predict(inputs[round % 8], shape: [5, 64])) }
      }
      for try await (index, prediction) in group { #expect(prediction == expected[index]) }
    }
  }
}
