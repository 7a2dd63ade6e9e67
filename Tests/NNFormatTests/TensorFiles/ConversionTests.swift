import NNFormat
import TestSupport
import Testing

@Suite struct ConversionTests {
  @Test(
    arguments: [
      (ElementType.float32, [1.5, -2, .infinity]), (.float64, [1.5, -2, .infinity]), (.float16, [1.5, -2, .infinity]),
      (.bfloat16, [1.5, -2, .infinity]), (.int8, [1, -2, 127]), (.int32, [1, -2, 2_147_483_647]),
      (.int64, [1, -2, 0x1p63]), (.uint8, [1, 0, 255]), (.uint32, [1, 0, 4_294_967_295]),
      (.uint64, [1, 0, 0x1p64]), (.bool, [1, 1, 1]),
    ] as [(ElementType, [Double])]) func numbersAreRoundedOrClamped(_ elementType: ElementType, expected: [Double])
    throws
  {
    let converted = try Tensor([1.5, -2, .infinity] as [Double]).converted(to: elementType)
    #expect(converted.elementType == elementType)
    #expect(try converted.doubles() == expected)
  }

  @Test func roundingIsToNearestEven() throws {
    let halves = Tensor([1 + 0x1p-11, 1 + 0x3p-11, 65520, 0x1p-25, 0x1.8p-25] as [Double])
    #expect(try halves.converted(to: .float16).doubles() == [1, 1 + 0x1p-9, .infinity, 0, 0x1p-24])
    let narrow = Tensor([1 + 0x1p-8, 1 + 0x3p-8, -1 - 0x1p-8, 3.4e38] as [Double])
    #expect(try narrow.converted(to: .bfloat16).doubles() == [1, 1 + 0x1p-6, -1, .infinity])
    #expect(try Tensor([Double.nan]).converted(to: .bfloat16).doubles()[0].isNaN)
    #expect(try Tensor([Double.nan]).converted(to: .int32).doubles() == [0])
  }

  @Test func typesWithoutPlainNumbersAreRefused() throws {
    let complex = try Tensor(
      elementType: .complex64, shape: [1], storage: .owned(AlignedBytes(copying: [1, 2] as [Float])))
    #expect(throws: FormatError.self) { try complex.converted(to: .float32) }
    #expect(throws: FormatError.self) { try complex.doubles() }
    #expect(throws: FormatError.self) { try Tensor([1] as [Float]).converted(to: .complex64) }
  }

  @Test func storageMustHoldWhatTheShapeNeeds() throws {
    for shape in [[3], [2, 2], [-1], [Int.max, 2], []] {
      #expect(throws: FormatError.self, "\(shape)") {
        try Tensor(elementType: .float32, shape: shape, storage: .owned(AlignedBytes(copying: [1, 2] as [Float])))
      }
    }
    let nibbles = try Tensor(elementType: .int4, shape: [3], storage: .owned(AlignedBytes(copying: [0, 1] as [UInt8])))
    #expect(nibbles.byteCount == 2)
    #expect(try nibbles.rows(0..<1).byteCount == 1)
  }

  @Test func rowsAreCutAndJoined() throws {
    let whole = Tensor((0..<12).map { Int32($0) }, shape: [4, 3])
    #expect(try whole.rows(1..<3).elements(as: Int32.self) == [3, 4, 5, 6, 7, 8])
    #expect(try whole.rows(2..<2).shape == [0, 3])
    #expect(try Tensor.joined([whole.rows(0..<1), whole.rows(1..<4)]).denseBytes == whole.denseBytes)
    #expect(throws: FormatError.self) { try whole.rows(3..<5) }
    #expect(throws: FormatError.self) { try whole.rows(-1..<2) }
    #expect(throws: FormatError.self) { try Tensor([1] as [Float], shape: []).rows(0..<1) }
    #expect(throws: FormatError.self) { try Tensor.joined([]) }
    #expect(throws: FormatError.self) { try Tensor.joined([whole, whole.reshaped(to: [3, 4])]) }
    #expect(throws: FormatError.self) { try whole.elements(as: Float.self) }
  }

  /// Rows of such a tensor would have more elements than an integer holds.
  @Test func anEmptyShapeMustNotOverflowInItsOtherAxes() throws {
    let nothing = AlignedBytes(copying: [UInt8]())
    for shape in [[0, Int.max, 4], [Int.max, 0, 4], [Int.max, 4, 0]] {
      let error = #expect(throws: FormatError.self) {
        try Tensor(elementType: .float32, shape: shape, storage: .owned(nothing))
      }
      #expect(error?.kind == .limit)
    }
    #expect(checkedProduct([0, 5, Int.max / 5]) == 0)
    #expect(checkedProduct([]) == 1)
    #expect(checkedProduct([3, -1]) == nil)
  }
}
