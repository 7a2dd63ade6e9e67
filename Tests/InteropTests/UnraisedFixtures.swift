import TestSupport

/// Fixtures with operators that no Keras layer computes: their conversion to Keras layers may be refused by the name of a
/// node. All others have to convert.
enum UnraisedFixtures {
  /// Beginnings of names, with the reason.
  private static let families = [
    (
      ["quantise", "quantised_", "quantizer_", "matmul_nbits"],
      "integer arithmetic is not that of Keras's quantised layers"
    ),
    (["contributed_"], "ONNX Runtime's own operators"),
    (["precision_bfloat16_functions"], "functions whose operators do not take bfloat16 stand between casts"),
    (["sklearn_"], "scikit-learn's preprocessing has operators of ai.onnx.ml"),
    (
      ["operations", "tf_operations", "shared_functions"],
      "operations of keras.ops beyond what .h5 files of Keras 2 can hold"
    ),
    (
      [
        "activation", "tf_activation", "dense_activations", "dense_sparsemax", "keras_export_activations",
        "torch_activations",
      ],
      "functions that Keras 2 does not have"
    ),
    (
      [
        "lookups", "tf_lookups", "spread_lookups", "tf_spread_lookups", "tables", "tf_tables", "encodings",
        "tf_encodings",
      ],
      "tables in integers"
    ),
    (["preprocessing", "tf_preprocessing"], "statistics of two axes"),
    (
      [
        "padded", "tf_padded", "resized", "tf_resized", "masking", "tf_masking", "open_extents", "tf_open_extents",
        "scaled",
        "tf_scaled", "einsum", "tf_einsum", "wrappers", "tf_wrappers", "dense_each", "tf_dense_each",
      ],
      "forms that only one generation of Keras has layers for"
    ),
    (["precision_doubles"], "the plain forms of float64, for which Keras 2 has no layers"),
    (["torch_attention", "dots", "tf_dots"], "products and means that Keras 2 has no layers for"),
  ]

  static func contains(_ row: FixtureRow) -> Bool {
    families.contains { family in family.0.contains { row.name.hasPrefix($0) } }
  }
}
