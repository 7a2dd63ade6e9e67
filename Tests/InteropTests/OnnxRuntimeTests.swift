import NNFormat
import TestSupport
import Testing

/// Every fixture as an ONNX file passes `onnx.checker` with full check and computes its numbers in ONNX Runtime.
@Suite struct OnnxRuntimeTests {
  /// The operator sets of Keras fixtures: the default, and the ends of the range in which forms of operators change.
  private static let versions: [Int?] = [nil, 13, 15, 17, 18, 28]

  private static func forms(_ row: FixtureRow) -> [FixtureForm] {
    guard !row.file.hasSuffix(".onnx") else { return [.onnx] }
    return versions.map { FixtureForm(way: .operators($0), ending: "onnx") }
  }

  private static let batch = Result {
    try InteropBatch(PythonPeer(script: "onnx_peer.py"), forms: forms)
  }

  private static let exceptions = [
    InteropException(
      "ONNX Runtime has no matrix products of bfloat16", message: "NOT_IMPLEMENTED",
      [
        "precision_bfloat16.h5", "precision_bfloat16.keras", "precision_bfloat16.weights.h5",
        "precision_mixed_bfloat16.keras", "precision_policies.keras", "precision_bfloat16_functions.keras",
        "quantised_int8_mixed_bfloat16.keras",
      ]),
    InteropException(
      "ONNX Runtime has no error function of float64", message: "Erf(13)", ["precision_doubles.keras"]),
    InteropException(
      "8-bit floating-point numbers came with operator set 19", message: "need operator set 19",
      forms: Set([13, 15, 17, 18].map { FixtureForm(way: .operators($0), ending: "onnx") }),
      ["quantised_float8.keras", "quantised_einsum_float8.keras"]),
    InteropException(
      "the original states no shapes of its outputs, which onnx.checker asks for", message: "Field 'shape'",
      [
        "contributed_activations.onnx", "contributed_gemm.onnx", "contributed_layer_norm.onnx",
        "contributed_normalisations.onnx", "contributed_products.onnx", "matmul_nbits.onnx", "quantise_blocks.onnx",
        "quantise_linear.onnx", "quantised_contributed_products.onnx", "quantised_dynamic.onnx",
        "quantised_elementwise.onnx", "quantised_products.onnx", "sklearn_multilabel.onnx", "sklearn_operators.onnx",
      ]),
  ]

  @Test(arguments: Fixtures.rows(.predict)) func computesTheSame(_ row: FixtureRow) throws {
    try Self.batch.get().verify(row, Self.forms(row), exceptions: Self.exceptions)
  }
}
