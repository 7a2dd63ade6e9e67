import Glibc
import NNEngine
import Testing

/// The row functions of every instruction set against double precision, and their independence of batch and threads.
@Suite struct RowFunctionTests {
  enum Function: CaseIterable {
    case softmax
    case logSoftmax
    case layerNorm
    case plainLayerNorm
    case affine
  }

  static let columnCounts = [1, 2, 3, 7, 15, 16, 17, 31, 33, 100, 513, 1025]
  static let epsilon: Float = 1e-3

  static func run(
    _ function: Function, _ x: [Float], columns: Int, scale: [Float], offset: [Float], threads: Int = 1,
    table: KernelTable
  ) -> [Float] {
    var y = x
    let rows = x.count / columns
    let pool = ThreadPool(threads: threads)
    unsafe y.withUnsafeMutableBufferPointer { buffer in
      guard let y = buffer.baseAddress else { return }
      switch function {
      case .softmax: unsafe RowFunctions.softmax(x, y, rows: rows, columns: columns, pool: pool, table: table)
      case .logSoftmax: unsafe RowFunctions.logSoftmax(y, y, rows: rows, columns: columns, pool: pool, table: table)
      case .layerNorm:
        unsafe RowFunctions.layerNorm(
          y, y, rows: rows, columns: columns, scale: scale, offset: offset, epsilon: epsilon, pool: pool, table: table)
      case .plainLayerNorm:
        unsafe RowFunctions.layerNorm(
          x, y, rows: rows, columns: columns, scale: nil, offset: nil, epsilon: epsilon, pool: pool, table: table)
      case .affine:
        unsafe RowFunctions.affine(
          x, y, rows: rows, columns: columns, scale: scale, offset: offset, pool: pool, table: table)
      }
    }
    return y
  }

  static func exactRow(_ function: Function, _ x: [Double], scale: [Float], offset: [Float]) -> [Double] {
    let largest = x.max() ?? 0
    let sum = x.reduce(0) { $0 + exp($1 - largest) }
    let mean = x.reduce(0, +) / Double(x.count)
    let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
    return x.indices.map { j in
      let normal = (x[j] - mean) / (variance + Double(epsilon)).squareRoot()
      switch function {
      case .softmax: return exp(x[j] - largest) / sum
      case .logSoftmax: return x[j] - largest - log(sum)
      case .layerNorm: return normal * Double(scale[j]) + Double(offset[j])
      case .plainLayerNorm: return normal
      case .affine: return x[j] * Double(scale[j]) + Double(offset[j])
      }
    }
  }

  @Test(arguments: InstructionSet.available, Function.allCases)
  func isAccurate(set: InstructionSet, function: Function) throws {
    let table = try #require(KernelTable.table(for: set))
    for columns in Self.columnCounts {
      var noise = Noise(columns)
      let x = noise.values(3 * columns).map { $0 * 5 + 1 }
      let (scale, offset) = (noise.values(columns), noise.values(columns))
      let y = Self.run(function, x, columns: columns, scale: scale, offset: offset, table: table)
      for row in 0..<3 {
        let exact = Self.exactRow(
          function, x[row * columns..<(row + 1) * columns].map(Double.init), scale: scale, offset: offset)
        for j in 0..<columns {
          let error = abs(Double(y[row * columns + j]) - exact[j])
          let bound =
            switch function {
            case .softmax: (1e-6 + 1e-7 * Double(columns) / 16) * exact[j]
            case .logSoftmax: 1e-6 + 1e-7 * Double(columns) / 16 + 1e-7 * abs(exact[j])
            case .layerNorm, .plainLayerNorm: 5e-6
            case .affine: 5e-7
            }
          #expect(error <= bound, "\(columns) columns: \(y[row * columns + j]), not \(exact[j])")
        }
      }
    }
  }

  @Test(arguments: Function.allCases)
  func aRowIsTheSameInEveryBatchOnAnyThreadsAndInstructionSet(function: Function) throws {
    let scalar = try #require(KernelTable.table(for: .scalar))
    let columns = 777
    var noise = Noise(3)
    let x = noise.values(67 * columns)
    let (scale, offset) = (noise.values(columns), noise.values(columns))
    let expected = Self.run(function, x, columns: columns, scale: scale, offset: offset, table: scalar)
    for set in InstructionSet.available {
      let table = try #require(KernelTable.table(for: set))
      for threads in 1...3 {
        let y = Self.run(function, x, columns: columns, scale: scale, offset: offset, threads: threads, table: table)
        #expect(differences(y, expected) == 0)
      }
      for row in [0, 31, 66] {
        let range = row * columns..<(row + 1) * columns
        let y = Self.run(function, [Float](x[range]), columns: columns, scale: scale, offset: offset, table: table)
        #expect(differences(y, [Float](expected[range])) == 0)
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func extremeRows(set: InstructionSet) throws {
    let table = try #require(KernelTable.table(for: set))
    func softmax(_ x: [Float]) -> [Float] {
      Self.run(.softmax, x, columns: x.count, scale: [], offset: [], table: table)
    }
    #expect(softmax([1000, 1000]) == [0.5, 0.5])
    #expect(softmax([-.infinity, 0, -3e38]) == [0, 1, 0])
    for place in 0..<18 {
      var x = [Float](repeating: 0, count: 18)
      x[place] = .nan
      #expect(softmax(x).allSatisfy { $0.isNaN })
      #expect(
        Self.run(.plainLayerNorm, x, columns: 18, scale: [], offset: [], table: table).allSatisfy { $0.isNaN })
    }
    let constant = Self.run(
      .plainLayerNorm, [Float](repeating: 3, count: 64), columns: 64, scale: [], offset: [], table: table)
    #expect(constant.allSatisfy { $0 == 0 })
  }
}
