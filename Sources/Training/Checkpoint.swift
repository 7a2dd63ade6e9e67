import NNEngine
import NNFormat

/// A training that can go on where it was: parameters, optimizer state and place, in one `.npz` that is replaced as a whole.
public struct Checkpoint: Sendable {
  /// Parameters, statistics and optimizer state.
  public var state: TrainingState
  /// Where in its epochs the training is.
  public var position: TrainingPosition
  /// The epochs so far.
  public var history: [EpochRecord]
  /// The best value of what early stopping watches, and for how many epochs nothing was better.
  public var best: (value: Double, epoch: Int, waited: Int)?
  /// What the training was started with, to be compared.
  public var fingerprint: String
  /// The learning rate that a plateau led to; `nil` while the schedule decides.
  public var reducedRate: Double?
  /// Epochs without improvement that count for the learning rate, and epochs of rest.
  public var plateau: (best: Double, waited: Int, rest: Int)?

  /// Writes the checkpoint in the place of an older one.
  public func write(to path: String) throws(FormatError) {
    var arrays: [(name: String, tensor: Tensor)] = []
    let text = json.text()
    arrays.append(("training", Tensor(Array(text.utf8))))
    for (name, tensor) in state.parameters { arrays.append(("parameter:\(Self.escaped(name))", tensor)) }
    for (name, tensor) in state.statistics { arrays.append(("statistic:\(Self.escaped(name))", tensor)) }
    for (slot, tensors) in state.slots {
      for (index, tensor) in tensors.enumerated() { arrays.append(("slot:\(slot):\(index)", tensor)) }
    }
    try NpzFile.write(arrays, to: path)
  }

  /// Names of members may not look like paths.
  private static func escaped(_ name: String) -> String { name.replacing("%", with: "%25").replacing("/", with: "%2F") }
  private static func unescaped(_ name: String) -> String {
    name.replacing("%2F", with: "/").replacing("%25", with: "%")
  }

  /// Reads a checkpoint.
  ///
  /// - Throws: `FormatError` when it is none.
  public init(path: String) throws(FormatError) {
    do throws(FormatError) {
      let arrays = try NpzFile.read(ByteRegion(try MappedFile(path: path)))
      guard let text = try arrays["training"]?.elements(as: UInt8.self) else {
        throw FormatError(.unrecognized, "is no checkpoint of nnfmt train")
      }
      let json = try JSONValue.parse(text)
      var (parameters, statistics): ([(String, Tensor)], [(String, Tensor)]) = ([], [])
      var slots: [(name: String, tensors: [Tensor])] = []
      for (key, tensor) in arrays {
        let parts = key.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { continue }
        switch parts[0] {
        case "parameter": parameters.append((Self.unescaped(parts[1]), tensor))
        case "statistic": statistics.append((Self.unescaped(parts[1]), tensor))
        default:
          let name = String(parts[1].prefix { $0 != ":" })
          if let place = slots.firstIndex(where: { $0.name == name }) {
            slots[place].tensors.append(tensor)
          } else {
            slots.append((name, [tensor]))
          }
        }
      }
      state = TrainingState(
        step: try Self.count(json, "step"), parameters: parameters, statistics: statistics, slots: slots,
        momentumProduct: try Self.product(json["momentum_product"]), learningRate: json["learning_rate"]?.float ?? 0)
      position = try Self.position(json["position"] ?? .null)
      history = (json["history"]?.array ?? []).map(EpochRecord.init)
      fingerprint = json["settings"]?.string ?? ""
      reducedRate = json["reduced_rate"]?.double
      if let rate = reducedRate, !(rate >= 0 && rate.isFinite) { throw Self.malformed("reduced_rate", "\(rate)") }
      if let json = json["best"], let value = Self.double(json["value"]) {
        best = (value, try Self.count(json, "epoch"), try Self.count(json, "waited"))
      }
      if let json = json["plateau"], let value = Self.double(json["value"]) {
        plateau = (value, try Self.count(json, "waited"), try Self.count(json, "rest"))
      }
    } catch {
      throw error.inFile(path)
    }
  }

  /// A checkpoint from its parts.
  public init(state: TrainingState, position: TrainingPosition, history: [EpochRecord], fingerprint: String) {
    (self.state, self.position, self.history, self.fingerprint) = (state, position, history, fingerprint)
  }

  private var json: JSONValue {
    var json: JSONValue = [
      "schema": "nnfmt.checkpoint/1", "settings": .string(fingerprint), "step": .int(state.step),
      "momentum_product": .string(String(state.momentumProduct.bitPattern)),
      "learning_rate": .number("\(state.learningRate)"), "position": position.json,
      "history": .array(history.map(\.json)),
    ]
    guard case .object(var members) = json else { return json }
    if let best {
      members["best"] = [
        "value": .string(String(best.value.bitPattern)), "epoch": .int(best.epoch), "waited": .int(best.waited),
      ]
    }
    if let plateau {
      members["plateau"] = [
        "value": .string(String(plateau.best.bitPattern)), "waited": .int(plateau.waited), "rest": .int(plateau.rest),
      ]
    }
    if let reducedRate { members["reduced_rate"] = .double(reducedRate) }
    json = .object(members)
    return json
  }

  /// A count of something; 0 where nothing is stated. Counting on from the highest one cannot overflow.
  private static func count(_ json: JSONValue, _ key: String) throws(FormatError) -> Int {
    guard let stated = json[key] else { return 0 }
    guard let count = stated.int, (0...1 << 53).contains(count) else {
      throw malformed(key, String(stated.text().prefix(60)))
    }
    return count
  }

  private static func product(_ json: JSONValue?) throws(FormatError) -> Float {
    guard let json else { return 1 }
    guard let product = json.string.flatMap({ UInt32($0) }).map({ Float(bitPattern: $0) }), product.isFinite else {
      throw malformed("momentum_product", String(json.text().prefix(60)))
    }
    return product
  }

  private static func position(_ json: JSONValue) throws(FormatError) -> TrainingPosition {
    TrainingPosition(
      epoch: try count(json, "epoch"), batch: try count(json, "batch"), rows: try count(json, "rows"),
      sums: (json["sums"]?.array ?? []).map { list in (list.array ?? []).compactMap { double($0) } })
  }

  private static func malformed(_ key: String, _ text: String) -> FormatError {
    FormatError(.malformed, "the checkpoint's \(key) is \(text), which no training comes to")
  }

  private static func double(_ json: JSONValue?) -> Double? {
    json?.string.flatMap { UInt64($0) }.map { Double(bitPattern: $0) }
  }
}

extension TrainingPosition {
  fileprivate var json: JSONValue {
    [
      "epoch": .int(epoch), "batch": .int(batch), "rows": .int(rows),
      "sums": .array(sums.map { .array($0.map { .string(String($0.bitPattern)) }) }),
    ]
  }
}
