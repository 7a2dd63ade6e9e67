import NNFormat
import Testing

@Suite struct TensorToleranceTests {
  private func difference(_ actual: Tensor, _ expected: Tensor) throws -> String? {
    try TensorTolerance().difference(actual, expected: expected)
  }

  @Test func realNumbersAgreeWithinBothBounds() throws {
    #expect(try difference(Tensor([Float(1.0009), 0]), Tensor([Float(1), 1e-7])) == nil)
    #expect(try difference(Tensor([Float(1.0011)]), Tensor([Float(1)])) != nil)
    #expect(try difference(Tensor([Float(0)]), Tensor([Float(2e-7)])) != nil)
  }

  @Test func specialNumbersAreEqualToThemselvesAlone() throws {
    #expect(try difference(Tensor([Float.nan, .infinity]), Tensor([Float.nan, .infinity])) == nil)
    for (left, right) in [(Float.infinity, -Float.infinity), (.infinity, 1), (1, .infinity), (.nan, 1), (1, .nan)] {
      #expect(try difference(Tensor([left]), Tensor([right])) != nil)
    }
  }

  @Test func integersAndStringsAreEqual() throws {
    #expect(try difference(Tensor([Int32(10_001)]), Tensor([Int32(10_000)])) != nil)
    #expect(try difference(Tensor([Int64(1 << 60)]), Tensor([Int64(1 << 60 + 1)])) != nil)
    #expect(try difference(Tensor([Int64(1 << 60)]), Tensor([Int64(1 << 60)])) == nil)
    #expect(try difference(Tensor([true]), Tensor([false])) != nil)
  }

  @Test func typesAndShapesAreCompared() throws {
    #expect(try difference(Tensor([Float(1)]), Tensor([Double(1)])) != nil)
    #expect(try difference(Tensor([Float(1)]), Tensor([Float(1)], shape: [])) != nil)
    #expect(try difference(Tensor([Float](), shape: [0, 2]), Tensor([Float](), shape: [2, 0])) != nil)
    #expect(try difference(Tensor([Float](), shape: [0, 2]), Tensor([Float](), shape: [0, 2])) == nil)
  }
}
