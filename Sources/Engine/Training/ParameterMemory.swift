import NNFormat

/// The parameters of a network in training, their gradients and the optimizer's slots, one array each.
///
/// Each parameter starts at a multiple of 16 elements, in the order of the panels of its layout where it has one.
@safe final class ParameterMemory {
  struct Parameter {
    let name: String
    let shape: [Int]
    let offset: Int
    /// Elements in memory, padding included.
    let count: Int
    let layout: PanelLayout?
    let penalty: Penalty?
    let constraint: Constraint?
    let decays: Bool

    var elementCount: Int { shape.reduce(1, *) }
  }

  let parameters: [Parameter]
  let slotNames: [String]
  private let values: TrainingMemory
  private let gradients: TrainingMemory
  private let slots: [TrainingMemory]
  /// Values that training moves without a gradient, such as running means.
  let statistics: [(name: String, shape: [Int], offset: Int, count: Int)]
  private let statisticsMemory: TrainingMemory

  /// - Parameter layouts: one entry for each parameter; `nil` for row-major ones.
  init(
    _ list: [(parameter: TrainableParameter, tensor: Tensor)], layouts: [PanelLayout?],
    statistics: [(name: String, tensor: Tensor)], optimizer: Optimizer
  ) throws(EngineError) {
    var offset = 0
    var parameters: [Parameter] = []
    for ((parameter, tensor), layout) in zip(list, layouts) {
      let count = layout?.count ?? tensor.count
      parameters.append(
        Parameter(
          name: parameter.name, shape: tensor.shape, offset: offset, count: count, layout: layout,
          penalty: parameter.penalty, constraint: parameter.constraint, decays: parameter.decays))
      offset += (count + 15) / 16 * 16
    }
    self.parameters = parameters
    slotNames = optimizer.slotNames
    values = try TrainingMemory(count: offset)
    gradients = try TrainingMemory(count: offset)
    var slots: [TrainingMemory] = []
    for index in slotNames.indices {
      slots.append(try TrainingMemory(count: offset))
      let initial = optimizer.initialValue(ofSlot: index)
      if initial != 0 { slots[index].floats(0, offset).fill(initial) }
    }
    self.slots = slots
    var places: [(name: String, shape: [Int], offset: Int, count: Int)] = []
    var end = 0
    for (name, tensor) in statistics {
      places.append((name, tensor.shape, end, tensor.count))
      end += (tensor.count + 15) / 16 * 16
    }
    self.statistics = places
    statisticsMemory = try TrainingMemory(count: end)
    for (index, entry) in list.enumerated() { try setValue(index, to: entry.tensor) }
    for (index, entry) in statistics.enumerated() { try setStatistic(index, to: entry.tensor) }
  }

  func value(_ index: Int) -> Floats { values.floats(parameters[index].offset, parameters[index].count) }
  func gradient(_ index: Int) -> Floats { gradients.floats(parameters[index].offset, parameters[index].count) }
  func slot(_ slot: Int, _ index: Int) -> Floats {
    slots[slot].floats(parameters[index].offset, parameters[index].count)
  }
  func statistic(_ index: Int) -> Floats {
    statisticsMemory.floats(statistics[index].offset, statistics[index].count)
  }

  /// Copies of elements, row-major.
  func valueTensor(_ index: Int) -> Tensor { tensor(value(index), parameters[index]) }
  func gradientTensor(_ index: Int) -> Tensor { tensor(gradient(index), parameters[index]) }
  func slotTensor(_ slot: Int, _ index: Int) -> Tensor { tensor(self.slot(slot, index), parameters[index]) }
  func statisticTensor(_ index: Int) -> Tensor { Self.tensor(statistic(index), shape: statistics[index].shape) }

  private func tensor(_ floats: Floats, _ parameter: Parameter) -> Tensor {
    guard let layout = parameter.layout else { return Self.tensor(floats, shape: parameter.shape) }
    return unsafe Tensor(layout.unpacked(floats.base), shape: parameter.shape)
  }

  private static func tensor(_ floats: Floats, shape: [Int]) -> Tensor {
    let elements = unsafe [Float](UnsafeBufferPointer(start: floats.base, count: floats.count))
    return Tensor(elements, shape: shape)
  }

  /// Takes over elements from row-major tensors.
  ///
  /// - Throws: `EngineError` of kind `unsupported` for another number of elements or another type.
  func setValue(_ index: Int, to tensor: Tensor) throws(EngineError) {
    try Self.fill(
      value(index), parameters[index].layout, from: tensor, parameters[index].elementCount, parameters[index].name)
  }
  func setSlot(_ slot: Int, _ index: Int, to tensor: Tensor) throws(EngineError) {
    let parameter = parameters[index]
    try Self.fill(self.slot(slot, index), parameter.layout, from: tensor, parameter.elementCount, slotNames[slot])
  }
  func setStatistic(_ index: Int, to tensor: Tensor) throws(EngineError) {
    try Self.fill(statistic(index), nil, from: tensor, statistics[index].count, statistics[index].name)
  }

  private static func fill(
    _ target: Floats, _ layout: PanelLayout?, from tensor: Tensor, _ count: Int, _ name: String
  ) throws(EngineError) {
    guard tensor.elementType == .float32, tensor.count == count else {
      throw EngineError(
        .unsupported,
        "\"\(name)\" is \(tensor.elementType.name)\(tensor.shape); training works on \(count) values of float32")
    }
    do throws(FormatError) {
      try unsafe tensor.withBytes { bytes in
        if let layout {
          if let base = bytes.baseAddress { unsafe layout.pack(base, into: target.base) }
        } else {
          unsafe UnsafeMutableRawBufferPointer(start: target.base, count: target.count * 4).copyMemory(from: bytes)
        }
      }
    } catch {
      throw EngineError(.invalidGraph, "the parameter \"\(name)\" cannot be read: \(error.message)")
    }
  }
}
