import NNFormat

/// The parameters of a network in training, their gradients and the optimizer's slots: one array each, so that an update
/// is one pass. Each parameter starts at a multiple of 16 elements.
@safe final class ParameterMemory {
  struct Parameter {
    let name: String
    let shape: [Int]
    let offset: Int
    let count: Int
    let penalty: Penalty?
    let constraint: Constraint?
    let decays: Bool
  }

  let parameters: [Parameter]
  /// Elements of one array, gaps included.
  let count: Int
  let slotNames: [String]
  private let values: RawMemory
  private let gradients: RawMemory
  private let slots: [RawMemory]
  /// Values that training moves without a gradient, such as running means.
  let statistics: [(name: String, shape: [Int], offset: Int, count: Int)]
  private let statisticsMemory: RawMemory

  init(
    _ list: [(parameter: TrainableParameter, tensor: Tensor)], statistics: [(name: String, tensor: Tensor)],
    optimizer: Optimizer
  ) throws(EngineError) {
    var offset = 0
    var parameters: [Parameter] = []
    for (parameter, tensor) in list {
      parameters.append(
        Parameter(
          name: parameter.name, shape: tensor.shape, offset: offset, count: tensor.count, penalty: parameter.penalty,
          constraint: parameter.constraint, decays: parameter.decays))
      offset += (tensor.count + 15) / 16 * 16
    }
    count = offset
    self.parameters = parameters
    slotNames = optimizer.slotNames
    values = try Self.zeroed(offset)
    gradients = try Self.zeroed(offset)
    var slots: [RawMemory] = []
    for index in slotNames.indices {
      slots.append(try Self.zeroed(offset))
      unsafe Floats(slots[index].base, count: offset).fill(optimizer.initialValue(ofSlot: index))
    }
    self.slots = slots
    var places: [(name: String, shape: [Int], offset: Int, count: Int)] = []
    var end = 0
    for (name, tensor) in statistics {
      places.append((name, tensor.shape, end, tensor.count))
      end += (tensor.count + 15) / 16 * 16
    }
    self.statistics = places
    statisticsMemory = try Self.zeroed(end)
    for (index, entry) in list.enumerated() { try Self.fill(value(index), from: entry.tensor, entry.parameter.name) }
    for (index, entry) in statistics.enumerated() { try Self.fill(statistic(index), from: entry.tensor, entry.name) }
  }

  private static func zeroed(_ count: Int) throws(EngineError) -> RawMemory {
    let memory = try RawMemory(byteCount: count * 4)
    unsafe Floats(memory.base, count: count).fill(0)
    return memory
  }

  static func fill(_ target: Floats, from tensor: Tensor, _ name: String) throws(EngineError) {
    guard tensor.elementType == .float32, tensor.count == target.count else {
      throw EngineError(
        .unsupported,
        "\"\(name)\" is \(tensor.elementType.name)\(tensor.shape); training works on \(target.count) values of float32")
    }
    do throws(FormatError) {
      try unsafe tensor.withBytes { bytes in
        unsafe UnsafeMutableRawBufferPointer(start: target.base, count: target.count * 4).copyMemory(from: bytes)
      }
    } catch {
      throw EngineError(.invalidGraph, "the parameter \"\(name)\" cannot be read: \(error.message)")
    }
  }

  func value(_ index: Int) -> Floats { part(values, parameters[index].offset, parameters[index].count) }
  func gradient(_ index: Int) -> Floats { part(gradients, parameters[index].offset, parameters[index].count) }
  func slot(_ slot: Int, _ index: Int) -> Floats {
    part(slots[slot], parameters[index].offset, parameters[index].count)
  }
  func statistic(_ index: Int) -> Floats { part(statisticsMemory, statistics[index].offset, statistics[index].count) }

  private func part(_ memory: RawMemory, _ offset: Int, _ count: Int) -> Floats {
    unsafe Floats(memory.base + offset * 4, count: count)
  }

  /// A copy of a parameter's, a slot's or a statistic's elements.
  static func tensor(_ floats: Floats, shape: [Int]) -> Tensor {
    let elements = unsafe [Float](UnsafeBufferPointer(start: floats.base, count: floats.count))
    return Tensor(elements, shape: shape)
  }
}
