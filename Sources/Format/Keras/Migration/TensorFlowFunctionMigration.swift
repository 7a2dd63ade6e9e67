extension KerasModel {
  /// Whether the model records calls of TensorFlow's functions, which Keras 3 cannot load.
  var callsTensorFlowFunctions: Bool { root?.all.contains(where: TensorFlowFunction.isCall) == true }

  /// The model with new layers, and operations of `keras.ops` in the place of TensorFlow's functions.
  ///
  /// - Returns: the model, and what it does not take along.
  /// - Throws: `FormatError` that names the first layer or function which has no equal in Keras 3.
  func withOperations(layout: Layout) throws(FormatError) -> (model: KerasModel, notes: [ConversionNote]) {
    do throws(FormatError) {
      // Legacy files of new layers are for Keras 2 as well, which has no operations.
      guard layout == .archive else {
        throw FormatError(
          .unsupported, "it calls functions of TensorFlow, which Keras 3 reads in no file of this layout",
          advice: "Write a .keras file")
      }
      var (raised, notes) = try KerasModel.raised(from: lowered(), layout: .archive, path: path)
      raised.kerasVersion = KerasWriter.version
      notes.insert(
        ConversionNote(
          .changed, "functions of TensorFlow", "they are operations of keras.ops; the layers are new ones"),
        at: 0)
      if trainingConfiguration != nil || optimizer != nil {
        notes.append(
          ConversionNote(.dropped, "training", "losses, metrics and optimizer belong to the layers that were"))
      }
      return (raised, notes)
    } catch {
      throw error.inFile(path)
    }
  }
}
