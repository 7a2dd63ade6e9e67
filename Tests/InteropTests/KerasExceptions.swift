/// What real Keras cannot take, or no layer computes, by fixture and with the reason.
enum KerasExceptions {
  private static let h5: Set = [FixtureForm(way: .raised, ending: "h5")]

  private static let restored: Set = [FixtureForm(way: .sidecar, ending: "keras")]

  private static let both = [
    InteropException(
      "h5py stores bfloat16 as bytes without a type, which Keras does not read", message: "No cast function", forms: h5,
      [
        "precision_bfloat16.h5", "precision_bfloat16.keras", "precision_bfloat16.weights.h5",
        "precision_mixed_bfloat16.keras", "precision_policies.keras",
      ])
  ]

  static let keras =
    both + [
      InteropException(
        "Keras 3 drops lists of axes from legacy .h5 files, its own among them", message: "Shape mismatch", forms: h5,
        [
          "normalisation.h5", "normalisation.keras", "contributed_layer_norm.onnx", "tf_normalisation.h5",
          "tf_unsorted_axes.h5",
        ]),
      InteropException(
        "Keras 3 drops lists of axes from legacy .h5 files, its own among them", message: "", forms: h5,
        ["activation_forms.h5", "tf_activation_forms.h5", "tf_activation_forms.keras", "tf_scaled.h5"]),
      InteropException(
        "Keras itself saves this packing of 4-bit rows and does not load it", message: "could not be loaded",
        forms: restored, ["quantised_int4_rows.keras", "quantised_einsum_int4_rows.keras"]),
      InteropException(
        "an Embedding in a SpectralNormalization computes something else in Keras 3",
        message: "has no equal in Keras 3", forms: restored, ["tf_wrappers.h5"]),
      InteropException(
        "not every function of TensorFlow has operations that Keras 3 records", message: "(node \"tf.", forms: restored,
        ["tf_operations_functions.h5", "tf_operations_shapes.h5"]),
      InteropException(
        "Keras itself saves the weight of a Functional model and does not load it", message: "expected 0 variables",
        forms: restored, ["top_level_weight.h5", "top_level_weight.keras"]),
    ]
  static let tfKeras =
    both + [
      InteropException(
        "tf_keras itself saves such an archive and does not load it", message: "not callable", forms: restored,
        ["tf_wrappers.keras"])
    ]
}
