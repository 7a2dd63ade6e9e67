import NNEngine
import NNFormat
import Testing

@Suite struct DeterminismTests {
  @Test(arguments: [[300, 513, 130, 10], [13, 64, 32, 1], [784, 512, 256, 10]])
  func threadsAndBatchesChangeNoBit(widths: [Int]) throws {
    let model = classifier(widths).model
    var random = SeededGenerator(31)
    let (depth, columns) = (widths[0], widths[widths.count - 1])
    let input = try random.floats([67, depth]).elements(as: Float.self)
    let expected = try Network(model, options: EngineOptions(threads: 1)).predict(input, shape: [67, depth])
      .values.map(\.bitPattern)
    for threads in [1, 2, 4] {
      let network = try Network(model, options: EngineOptions(threads: threads))
      // Every batch from 1 to 67, from different rows on.
      for rows in 1...67 {
        let first = rows * 29 % (68 - rows)
        let part = Array(input[first * depth..<(first + rows) * depth])
        let actual = try network.predict(part, shape: [rows, depth]).values.map(\.bitPattern)
        #expect(
          actual == Array(expected[first * columns..<(first + rows) * columns]),
          "threads \(threads), \(rows) rows from \(first)")
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

  /// Small predictions in a row, so that callers often want the network's contexts at the same moment.
  @Test func busyCallersAgree() async throws {
    let network = try Network(classifier([4, 3]).model)
    var random = SeededGenerator(33)
    let input = try random.floats([1, 4]).elements(as: Float.self)
    let expected = try network.predict(input, shape: [1, 4])
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          try (0..<2000).count { _ in try network.predict(input, shape: [1, 4]) != expected }
        }
      }
      for try await differences in group { #expect(differences == 0) }
    }
  }
}
