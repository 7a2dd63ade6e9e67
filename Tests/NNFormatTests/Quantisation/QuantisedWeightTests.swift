import NNFormat
import TestSupport
import Testing

/// Tensors in few bits: every code against the definition.
@Suite struct QuantisedWeightTests {
  static let shapes = [[7], [6, 9], [5, 33], [3, 4, 10]]
  static let types: [ElementType] = [.int8, .uint8, .int4, .uint4]

  static func groupings(_ shape: [Int]) -> [ScaleGrouping] {
    [.tensor] + shape.indices.map { .axis($0) }
      + shape.indices.flatMap { axis in [2, 3, 16].map { .blocks(axis: axis, size: $0) } }
  }

  private static func numbers(_ shape: [Int], offset: Float = 0) -> Tensor {
    var random = SeededNumbers(UInt64(shape.count))
    return Tensor((0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &random) + offset }, shape: shape)
  }

  /// The group of each element, in row-major order, by counting through the axes.
  private static func groups(_ shape: [Int], _ grouping: ScaleGrouping) -> [Int] {
    let scales = grouping.scaleShape(shape)
    return (0..<shape.reduce(1, *)).map { element in
      var index = [Int](repeating: 0, count: shape.count)
      var rest = element
      for axis in shape.indices.reversed() { (rest, index[axis]) = (rest / shape[axis], rest % shape[axis]) }
      switch grouping {
      case .tensor: return 0
      case .axis(let axis): return index[axis]
      case .blocks(let axis, let size):
        index[axis] /= size
        return zip(index, scales).reduce(0) { $0 * $1.1 + $1.0 }
      }
    }
  }

  @Test(arguments: shapes, types) func codesAreTheNearest(_ shape: [Int], _ type: ElementType) throws {
    for grouping in Self.groupings(shape) {
      for isSymmetric in [true, false] {
        for offset: Float in [0, 3] {
          let tensor = Self.numbers(shape, offset: offset)
          let coding = WeightCoding(type, isSymmetric: isSymmetric, grouping: grouping)
          let weight = try QuantisedWeight(tensor, coding)
          let (codes, scales) = (try weight.codes.doubles(), try weight.scale.doubles())
          let zeros = try weight.zeroPoint?.doubles() ?? [Double](repeating: 0, count: scales.count)
          #expect(weight.scale.shape == grouping.scaleShape(shape))
          #expect(weight.codes.elementType == type)
          var sums = ErrorSums()
          for (element, group) in Self.groups(shape, grouping).enumerated() {
            let value = try tensor.doubles()[element]
            let back = (codes[element] - zeros[group]) * scales[group]
            sums.add(value, rounded: back)
            // Symmetric 4 bits do not reach the other end by one step.
            let bound = scales[group].magnitude * (type.bitWidth == 4 && isSymmetric ? 1.01 : 0.51)
            #expect(abs(value - back) <= bound, "\(type) \(shape) \(grouping) \(isSymmetric)")
          }
          #expect(abs(sums.noise - weight.error.noise) < 0.01 * sums.noise + 1e-12 * sums.signal)
          #expect(abs(sums.cosine - weight.error.cosine) < 1e-5)
          #expect(weight.error.count == tensor.count)
        }
      }
    }
  }

  @Test func symmetricCodesLeaveZeroInTheMiddle() throws {
    let tensor = Tensor([-1, 0, 0.5, 2] as [Float], shape: [2, 2])
    let signed = try QuantisedWeight(tensor, WeightCoding(.int8, isSymmetric: true, grouping: .tensor))
    #expect(signed.zeroPoint == nil)
    #expect(try signed.codes.elements(as: Int8.self) == [-64, 0, 32, 127])
    let unsigned = try QuantisedWeight(tensor, WeightCoding(.uint8, isSymmetric: true, grouping: .tensor))
    #expect(try unsigned.zeroPoint?.doubles() == [128])
    #expect(try unsigned.codes.elements(as: UInt8.self) == [64, 128, 160, 255])
    var coding = WeightCoding(.int8, isSymmetric: true, grouping: .tensor)
    coding.reducesRange = true
    let reduced = try QuantisedWeight(Tensor([-0.9, 0, 0.5, 2] as [Float]), coding)
    #expect(try reduced.codes.elements(as: Int8.self) == [-28, 0, 16, 63])
  }

  @Test func theLargestOfFourBitsBecomesTheLowestCode() throws {
    let tensor = Tensor([-1, 0, 0.5, 2] as [Float], shape: [4])
    let weight = try QuantisedWeight(tensor, WeightCoding(.int4, isSymmetric: true, grouping: .tensor))
    #expect(try weight.codes.doubles() == [4, 0, -2, -8])
    #expect(try weight.scale.doubles() == [-0.25])
  }

  @Test func emptyRangesAreZeros() throws {
    let tensor = Tensor([Float](repeating: 0, count: 6), shape: [2, 3])
    for type in Self.types {
      for isSymmetric in [true, false] {
        let weight = try QuantisedWeight(tensor, WeightCoding(type, isSymmetric: isSymmetric, grouping: .axis(1)))
        #expect(weight.error.noise == 0)
        #expect(weight.error.decibels == .infinity)
      }
    }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity]) func refusesWhatIsNoNumber(_ value: Float) throws {
    let tensor = Tensor([1, value, 2, 3], shape: [2, 2])
    #expect(throws: FormatError.self) {
      try QuantisedWeight(tensor, WeightCoding(.int8, isSymmetric: true, grouping: .axis(1)))
    }
  }

  @Test func otherFloatingPointTypesAreRead() throws {
    for type in [ElementType.float16, .bfloat16, .float64] {
      let tensor = try Tensor([-1, 0.25, 0.5, 2] as [Float], shape: [2, 2]).converted(to: type)
      let weight = try QuantisedWeight(tensor, WeightCoding(.int8, isSymmetric: true, grouping: .tensor))
      #expect(try weight.codes.elements(as: Int8.self) == [-64, 16, 32, 127])
    }
  }
}
