import NNEngine
import NNFormat
import Testing

@Suite struct PerceptronTests {
  private static let corners: [[Double]] = [[0, 0], [0, 1], [1, 0], [1, 1]]

  @Test func separatesAnd() throws {
    var perceptron = Perceptron(inputCount: 2)
    let outcome = try perceptron.fit(Self.corners, labels: [0, 0, 0, 1])
    guard case .converged = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(Self.corners.map { perceptron($0) } == [0, 0, 0, 1])
    let boundary = try #require(perceptron.boundary)
    // The line has (1, 1) above it and the other corners below.
    let atOne = boundary.slope + boundary.intercept
    #expect(1 >= atOne && 1 < boundary.intercept && 0 < atOne)
  }

  @Test func reportsThatXorIsNotSeparable() throws {
    var perceptron = Perceptron(inputCount: 2)
    guard case .notSeparated(let errors) = try perceptron.fit(Self.corners, labels: [0, 1, 1, 0], epochs: 50) else {
      Issue.record("a line cannot separate it")
      return
    }
    #expect(errors > 0)
  }

  @Test func exportsToAGraph() throws {
    var perceptron = Perceptron(inputCount: 2)
    _ = try perceptron.fit(Self.corners, labels: [0, 1, 1, 1])
    let network = try Network(perceptron.model)
    let answers = try network.predict(Self.corners.flatMap { $0.map { Float($0) } }, shape: [4, 2]).values
    #expect(answers == [0, 1, 1, 1])
  }

  @Test func namesTheRowThatDoesNotFit() throws {
    var perceptron = Perceptron(inputCount: 2)
    #expect(throws: EngineError.self) { try perceptron.fit([[1, 2, 3]], labels: [0]) }
    #expect(throws: EngineError.self) { try perceptron.fit([[1, 2]], labels: [2]) }
  }
}
