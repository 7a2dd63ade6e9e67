extension Model {
  /// What the columns of an output stand for, as the ZipMap that makes it names its classes.
  ///
  /// - Returns: `nil` when no ZipMap makes the output.
  public func classLabels(ofOutput name: String) -> [String]? {
    guard
      let node = graph.nodes.first(where: {
        $0.operatorType == "ZipMap" && $0.domain == "ai.onnx.ml" && $0.outputs.contains(name)
      })
    else { return nil }
    if case .strings(let labels) = node.attribute("classlabels_strings"), !labels.isEmpty {
      return labels.map { String(decoding: $0, as: UTF8.self) }
    }
    return node.ints("classlabels_int64s")?.map(String.init)
  }
}
