import NNFormat

/// A network whose layers can be quantised, some or all, whatever file it is for.
public protocol NetworkQuantiser {
  /// The network before.
  var model: Model { get }
  /// For each layer, in order, the value of the graph that tells how well it does; empty when there is none.
  var probes: [String] { get }

  /// The network with its layers quantised.
  ///
  /// - Parameters:
  ///   - ranges: of values of the graph, as calibration found them.
  ///   - kept: layers that stay as they are, with the reason.
  /// - Returns: a graph that computes what the quantised network does, and a row for each layer.
  mutating func quantised(
    ranges: [String: ClosedRange<Float>], keeping kept: [Int: String]
  ) throws(EngineError) -> (model: Model, layers: [LayerQuantisation])
}

extension NetworkQuantiser {
  /// The network with all its layers quantised.
  public mutating func quantised(
    ranges: [String: ClosedRange<Float>] = [:]
  ) throws(EngineError) -> (model: Model, layers: [LayerQuantisation]) {
    try quantised(ranges: ranges, keeping: [:])
  }
}
