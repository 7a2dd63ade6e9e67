import NNFormat

/// Rows that a network is run on to be calibrated or measured.
public struct QuantisationData: Sendable {
  /// A tensor for each input by name, rows along the first axis.
  public let inputs: [String: Tensor]
  /// The true class of each row, where it is known.
  public let classes: [Int]?
  /// How many rows there are.
  public let rowCount: Int
  /// The rows that are used, in order.
  private let chosen: [Int]?

  /// Data for a network.
  ///
  /// - Parameters:
  ///   - limit: how many rows are used; `nil` for all. Which ones, when there are more, is drawn from the seed.
  /// - Throws: `EngineError` of kind `invalidInput` when the tensors do not fit the network's inputs, there are no rows, a
  ///   number is NaN or infinite, or a class is none of the network's.
  public init(
    _ inputs: [String: Tensor], classes: [Int]? = nil, for network: Network, limit: Int? = nil, seed: UInt64 = 1
  ) throws(EngineError) {
    let bound = try InputBinding.bind(inputs, to: network.plan)
    let tensors = Dictionary(zip(network.inputs.map(\.name), bound)) { first, _ in first }
    let counts = Set(bound.map { $0.shape.first ?? 0 })
    guard let rows = counts.first, counts.count == 1 else {
      throw EngineError(.invalidInput, "the inputs have different numbers of rows")
    }
    guard rows > 0 else { throw EngineError(.invalidInput, "there are no rows") }
    if let classes, classes.count != rows {
      throw EngineError(.invalidInput, "there are \(rows) rows and \(classes.count) labels")
    }
    for (name, tensor) in tensors where tensor.elementType.isFloatingPoint { try Self.check(tensor, name) }
    let scores = network.outputs.first?.shape.map { Shape(Array($0.dimensions.dropFirst())) }?.elementCount
    if let classes, let scores { try Self.check(classes, scores: scores) }
    self.inputs = tensors
    if let limit, limit < rows {
      let drawn = Self.draw(limit, of: rows, seed: seed)
      chosen = drawn
      self.classes = classes.map { all in drawn.map { all[$0] } }
      rowCount = limit
    } else {
      chosen = nil
      self.classes = classes
      rowCount = rows
    }
  }

  /// Random rows, for networks that there is no data for.
  public init(randomFor network: Network, rows: Int, seed: UInt64) throws(EngineError) {
    let extents: [[Int]]
    do throws(EngineError) {
      extents = try InputExtents(network.plan, batch: rows, sizes: [:]).shapes
    } catch {
      extents = try InputExtents(network.plan, batch: nil, sizes: [:]).shapes
    }
    var numbers = RandomTensors(seed: seed)
    var tensors: [String: Tensor] = [:]
    for (value, shape) in zip(network.inputs, extents) {
      do throws(FormatError) {
        let tensor = try numbers.numbers(for: value, shape: shape)
        tensors[value.name] = try tensor.converted(to: value.elementType ?? .float32)
      } catch {
        throw EngineError(.unsupported, error.message)
      }
    }
    try self.init(tensors, for: network)
  }

  private static func check(_ tensor: Tensor, _ name: String) throws(EngineError) {
    var isFinite = true
    do throws(FormatError) {
      try tensor.forEachDouble { isFinite = isFinite && $0.isFinite }
    } catch {
      throw EngineError(.invalidInput, error.message)
    }
    if !isFinite {
      throw EngineError(.invalidInput, "the data for the input \"\(name)\" holds NaN or infinite numbers")
    }
  }

  /// Refuses a class that a network with so many scores a row does not have.
  static func check(_ classes: [Int], scores: Int) throws(EngineError) {
    do throws(FormatError) {
      try LabelFile.check(classes, scores: scores)
    } catch {
      throw EngineError(.invalidInput, error)
    }
  }

  /// A sample without repetition, in ascending order.
  private static func draw(_ count: Int, of rows: Int, seed: UInt64) -> [Int] {
    var random = SampleNumbers(state: seed)
    var result: [Int] = []
    for row in 0..<rows where Int(random.next() % UInt64(rows - row)) < count - result.count { result.append(row) }
    return result
  }

  /// Calls `body` with the inputs of some rows at a time.
  func forEachBatch(
    of size: Int, _ body: (Range<Int>, [String: Tensor]) throws(EngineError) -> Void
  ) throws(EngineError) {
    for start in stride(from: 0, to: rowCount, by: size) {
      let range = start..<min(start + size, rowCount)
      var batch: [String: Tensor] = [:]
      do throws(FormatError) {
        for (name, tensor) in inputs {
          if range.count == rowCount, chosen == nil {
            batch[name] = tensor
          } else if let chosen {
            var parts: [Tensor] = []
            for row in chosen[range] { parts.append(try tensor.rows(row..<row + 1)) }
            batch[name] = try Tensor.joined(parts)
          } else {
            batch[name] = try tensor.rows(range)
          }
        }
      } catch {
        throw EngineError(.invalidInput, error.message)
      }
      try body(range, batch)
    }
  }
}

/// Numbers drawn from a seed: splitmix64.
struct SampleNumbers {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}
