import NNEngine
import Testing

@Suite struct RowReductionTests {
  private func reduce(
    _ reduction: RowReduction, _ x: [Float], rows: Int, columns: Int, _ table: KernelTable, threads: Int
  )
    -> [Float]
  {
    var y = [Float](repeating: 0, count: rows)
    unsafe x.withUnsafeBufferPointer { source in
      unsafe y.withUnsafeMutableBufferPointer { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        unsafe reduction.apply(
          from, to, rows: rows, columns: columns, pool: ThreadPool(threads: threads), table: table
        ) { $0 }
      }
    }
    return y
  }

  private func plain(_ reduction: RowReduction, _ row: ArraySlice<Float>) -> Double {
    switch reduction {
    case .sum: row.reduce(0) { $0 + Double($1) }
    case .squareSum: row.reduce(0) { $0 + Double($1) * Double($1) }
    case .magnitudeSum: row.reduce(0) { $0 + Double($1).magnitude }
    case .largest: Double(row.max() ?? -.infinity)
    case .smallest: Double(row.min() ?? .infinity)
    }
  }

  @Test(arguments: RowReduction.allCases, [1, 3, 16, 17, 100]) func agreesWithPlainLoops(
    _ reduction: RowReduction, columns: Int
  ) {
    let rows = 700
    let x = (0..<rows * columns).map { Float(($0 &* 2_654_435_761) % 1000) / 250 - 2 }
    for table in KernelTable.all {
      let y = reduce(reduction, x, rows: rows, columns: columns, table, threads: 1)
      for row in 0..<rows {
        let expected = plain(reduction, x[row * columns..<(row + 1) * columns])
        #expect(abs(Double(y[row]) - expected) <= 1e-6 * max(1, abs(expected)))
      }
      #expect(y == reduce(reduction, x, rows: rows, columns: columns, table, threads: 3))
      #expect(y == reduce(reduction, x, rows: rows, columns: columns, KernelTable.current, threads: 1))
    }
  }

  @Test(arguments: RowReduction.allCases) func oneNaNIsEnough(_ reduction: RowReduction) {
    for place in [0, 15, 16, 20] {
      var x = [Float](repeating: 1, count: 21)
      x[place] = .nan
      for table in KernelTable.all {
        #expect(reduce(reduction, x, rows: 1, columns: 21, table, threads: 1)[0].isNaN)
      }
    }
  }
}
