import NNFormat

extension LayerRewriter {
  /// A product of whole numbers whose left side is rounded when the program runs.
  mutating func replaceDynamically(
    _ layer: QuantisableLayer, _ node: Node, _ weight: QuantisedWeight
  ) throws(FormatError) {
    let alpha = node.operatorType == "Gemm" ? node.float("alpha", default: 1) : 1
    let parts = try stored(layer, weight, isTransposed: layer.kind == .gemm(isTransposed: true), factor: alpha)
    let bias = try bias(of: node)
    let left = rows(of: node)
    if settings.form == .qoperator {
      let columns = layer.tensor.shape[layer.axes.outputs]
      let vector = try vector(bias, count: columns)
      finish(node, vector == nil ? bias : nil) { rewriter, output in
        rewriter.rewrite.add(
          "DynamicQuantizeMatMul", domain: "com.microsoft",
          [left, parts.codes, parts.scale, parts.zeroPoint ?? "", vector ?? ""], outputs: [output])
      }
      return
    }
    let rounded = roundedDynamically(left)
    finish(node, bias) { rewriter, output in
      let sum = rewriter.rewrite.add(
        "MatMulInteger", [rounded.codes, parts.codes, rounded.zeroPoint, parts.zeroPoint ?? ""],
        named: "\(node.outputs[0])_integers")
      let wide = rewriter.rewrite.add(
        "Cast", [sum], named: "\(node.outputs[0])_sum", [Attribute("to", .int(Int64(ElementType.float32.rawValue)))])
      let scale = rewriter.rewrite.add(
        "Mul", [rounded.scale, parts.scale], named: "\(node.outputs[0])_scale")
      rewriter.rewrite.add("Mul", [wide, scale], outputs: [output])
    }
  }

  private mutating func roundedDynamically(_ value: String) -> RoundedActivation {
    if let known = activations[value] { return known }
    let names = ["quantized", "scale", "zero_point"].map { rewrite.name("\(value)_\($0)") }
    rewrite.add("DynamicQuantizeLinear", [value], outputs: names)
    let result = RoundedActivation(codes: names[0], scale: names[1], zeroPoint: names[2])
    activations[value] = result
    return result
  }
}
