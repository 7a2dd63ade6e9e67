import NNEngine
import Testing

@Suite struct BinaryOperationTests {
  static func exact(_ operation: BinaryOperation, _ x: Float, _ y: Float) -> Float {
    switch operation {
    case .add: x + y
    case .subtract: x - y
    case .multiply: x * y
    case .divide: x / y
    case .minimum: x.isNaN || y.isNaN ? .nan : min(x, y)
    case .maximum: x.isNaN || y.isNaN ? .nan : max(x, y)
    }
  }

  @Test(arguments: InstructionSet.available, BinaryOperation.allCases)
  func everyBroadcastIsExact(set: InstructionSet, operation: BinaryOperation) throws {
    let table = try #require(KernelTable.table(for: set))
    for (rows, columns, threads) in [(1, 1, 1), (1, 100_003, 2), (3, 17, 1), (5, 16, 2), (300, 333, 3)] {
      let pool = ThreadPool(threads: threads)
      var noise = Noise(rows + columns)
      let stride = columns + 3
      var x = noise.values(rows * stride)
      let y = noise.values(rows * stride)
      x[rows * stride / 2] = .nan
      for form in 0..<4 {
        var z = [Float](repeating: 7, count: rows * stride)
        unsafe x.withUnsafeBufferPointer { xBuffer in
          unsafe y.withUnsafeBufferPointer { yBuffer in
            unsafe z.withUnsafeMutableBufferPointer { zBuffer in
              guard let x = xBuffer.baseAddress, let y = yBuffer.baseAddress, let z = zBuffer.baseAddress else {
                return
              }
              let left = unsafe BinaryOperation.Operand.matrix(x, stride: stride)
              let right: BinaryOperation.Operand =
                switch form {
                case 0: unsafe .matrix(y, stride: stride)
                case 1: unsafe .row(y)
                case 2: unsafe .column(y, stride: stride)
                default: unsafe .scalar(y)
                }
              unsafe operation.apply(
                left, right, z, rows: rows, columns: columns, stride: stride, pool: pool, table: table)
            }
          }
        }
        var wrong = 0
        for i in 0..<rows {
          for j in 0..<stride {
            let other = [i * stride + j, j, i * stride, 0][form]
            let expected = j < columns ? Self.exact(operation, x[i * stride + j], y[other]) : 7
            wrong += differences([z[i * stride + j]], [expected])
          }
        }
        #expect(wrong == 0, "\(rows) x \(columns), form \(form)")
      }
    }
  }
}
