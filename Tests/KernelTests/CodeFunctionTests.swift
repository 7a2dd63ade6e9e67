import NNEngine
import Testing

/// Floats to codes on every instruction set of this machine against plain loops.
@Suite struct CodeFunctionTests {
  @Test(arguments: KernelTable.all.indices)
  func rangesHoldZeroAndLeaveNaNOut(row: Int) {
    let table = KernelTable.all[row]
    let pools = [1, 3].map { ThreadPool(threads: $0) }
    for count in [0, 1, 5, 15, 16, 17, 63, 64, 65, 200, 300_001] {
      for shift in [Float(-2), 0, 2] {
        var noise = Noise(count)
        var x = noise.values(count).map { $0 + shift }
        if count > 3 { x[3] = .nan }
        let values = x.filter { !$0.isNaN } + [0]
        for pool in pools {
          let range = unsafe (x + [0]).withUnsafeBufferPointer {
            unsafe CodeFunctions.range($0.start, count: count, pool: pool, table: table)
          }
          #expect(range.lowest == values.min() && range.highest == values.max(), "\(count) values")
        }
      }
    }
  }

  @Test(arguments: KernelTable.all.indices)
  func magnitudesAreThoseOfTheRows(row: Int) {
    for columns in [1, 3, 16, 33] {
      var noise = Noise(columns)
      var x = noise.values(4 * columns)
      x[columns] = .nan
      x[2 * columns] = -.infinity
      var y = [Float](repeating: 7, count: 4)
      unsafe x.withUnsafeBufferPointer { x in
        unsafe y.withUnsafeMutableBufferPointer { y in
          unsafe CodeFunctions.magnitudes(
            x.start, rows: 4, columns: columns, into: y.start, pool: ThreadPool(threads: 2),
            table: KernelTable.all[row])
        }
      }
      #expect(y[0] == x[..<columns].map(\.magnitude).max())
      #expect(y[1].isNaN)
      #expect(y[2] == .infinity)
      #expect(y[3] == x[(3 * columns)...].map(\.magnitude).max())
    }
  }

  @Test(arguments: KernelTable.all.indices)
  func codesRoundToEvenWithinTheirBounds(row: Int) {
    for count in [1, 15, 16, 40] {
      var noise = Noise(count)
      var x = noise.values(count).map { $0 * 300 }
      // Ties on both sides.
      for index in stride(from: 0, to: count, by: 3) { x[index] = (x[index] / 2).rounded() * 2 + 1 }
      if count > 3 { (x[1], x[2], x[3]) = (.nan, .infinity, -.infinity) }
      for (zero, lowest, highest) in [(0, 0, 255), (128, 0, 255), (-5, -128, 127), (3, 0, 15)]
        as [(Int32, Int32, Int32)]
      {
        var y = [UInt8](repeating: 7, count: count)
        unsafe x.withUnsafeBufferPointer { x in
          unsafe y.withUnsafeMutableBufferPointer { y in
            unsafe CodeFunctions.quantise(
              x.start, count: count, scale: 2, zero: zero, lowest: lowest, highest: highest,
              into: y.start, pool: ThreadPool(threads: 2), table: KernelTable.all[row])
          }
        }
        #expect(
          y == x.map { ByteGemmTests.code($0, scale: 2, zero: zero, lowest: lowest, highest: highest) })
      }
    }
  }

  /// Values next to the middle between two codes, and scales at the ends of the range.
  @Test(arguments: KernelTable.all.indices)
  func codesAreThoseOfTheQuotient(row: Int) {
    var noise = Noise(row)
    let scales =
      noise.values(40).map { $0.magnitude * 0.1 + 0.001 } + [1e-40, 1e-38, 1.5e38, 3e38, .infinity, .nan, 0, -0.3]
    for scale in scales {
      var x: [Float] = []
      for code in -300..<300 {
        let middle = (Float(code) + 0.5) * scale
        x += [
          middle.nextDown.nextDown, middle.nextDown, middle, middle.nextUp, middle.nextUp.nextUp, Float(code) * scale,
        ]
      }
      for (zero, lowest, highest) in [(0, 0, 255), (131, 0, 255), (-128, -128, 127)] as [(Int32, Int32, Int32)] {
        var y = [UInt8](repeating: 7, count: x.count)
        unsafe x.withUnsafeBufferPointer { x in
          unsafe y.withUnsafeMutableBufferPointer { y in
            unsafe CodeFunctions.quantise(
              x.start, count: x.count, scale: scale, zero: zero, lowest: lowest, highest: highest,
              into: y.start, pool: .single, table: KernelTable.all[row])
          }
        }
        #expect(
          y == x.map { ByteGemmTests.code($0, scale: scale, zero: zero, lowest: lowest, highest: highest) },
          "scale \(scale)")
      }
    }
  }
}
