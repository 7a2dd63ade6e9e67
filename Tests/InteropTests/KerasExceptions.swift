/// What real Keras cannot take, or no layer computes, by fixture and with the reason.
enum KerasExceptions {
  private static let h5: Set = [FixtureForm(way: .raised, ending: "h5")]

  private static let both = [
    InteropException(
      "h5py stores bfloat16 as bytes without a type, which Keras does not read", message: "No cast function", forms: h5,
      ["precision_bfloat16.h5", "precision_bfloat16.keras", "precision_bfloat16.weights.h5"])
  ]

  static let keras = both
  static let tfKeras = both
}
