/// What real Keras cannot take, or no layer computes, by fixture and with the reason.
enum KerasExceptions {
  private static let h5: Set = [FixtureForm(way: .raised, ending: "h5")]

  private static let restored: Set = [FixtureForm(way: .sidecar, ending: "keras")]

  private static let both = [
    InteropException(
      "h5py stores bfloat16 as bytes without a type, which Keras does not read", message: "No cast function", forms: h5,
      ["precision_bfloat16.h5", "precision_bfloat16.keras", "precision_bfloat16.weights.h5"])
  ]

  static let keras =
    both + [
      InteropException(
        "Keras 3 drops lists of axes from legacy .h5 files, its own among them", message: "Shape mismatch", forms: h5,
        ["normalisation.h5", "normalisation.keras", "contributed_layer_norm.onnx"]),
      InteropException(
        "Keras 3 drops lists of axes from legacy .h5 files, its own among them", message: "", forms: h5,
        ["activation_forms.h5", "tf_activation_forms.h5", "tf_activation_forms.keras"]),
      InteropException(
        "an archive of tf_keras stays as it is, and only tf_keras loads it", message: "", forms: restored,
        [
          "tf_activation_forms.keras", "tf_called.keras", "tf_dense_forms.keras", "tf_machine.keras", "tf_nested.keras",
        ]),
      // Gaps of the conversion itself:
      InteropException(
        "operations of a legacy .h5 file get no module in the archive", message: "Could not deserialize",
        forms: restored, ["operations.h5", "operations_head.h5"]),
      InteropException(
        "the encoding layers of Keras 2 have arguments that Keras 3 does not take",
        message: "could not be deserialized",
        forms: restored, ["tf_encodings.h5"]),
      InteropException(
        "Keras refuses this packing of 4-bit rows", message: "could not be loaded", forms: restored,
        ["quantised_int4_rows.keras", "quantised_einsum_int4_rows.keras"]),
    ]
  static let tfKeras = both
}
