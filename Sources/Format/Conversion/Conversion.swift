/// Conversion between formats. What comes out computes the same numbers, and what the target cannot say travels along or
/// is reported.
public struct Conversion: Sendable {
  /// The operator set of ONNX targets that are made from Keras; `nil` takes the default.
  public var operatorSetVersion: Int?
  /// The generation of Keras that a Keras target is for, 2 or 3; `nil` keeps that of the source where the layout can.
  public var kerasGeneration: Int?
  /// Whether the elements of an ONNX target go into a file beside it.
  public var writesExternalData = false

  /// A conversion with the default settings.
  public init() {}

  /// Makes an ONNX model of a Keras model: the one its layers were made from when the file carries it and it still fits,
  /// else one of new operators, whose sidecar carries what the graph does not say.
  ///
  /// - Throws: `FormatError` that names the first layer without operators, or the variable that cannot be read.
  public func onnx(from keras: KerasModel) throws(FormatError) -> (model: Model, notes: [ConversionNote]) {
    do throws(FormatError) {
      let (original, reasons) = try original(of: keras)
      if let original { return original }
      let version = operatorSetVersion ?? KerasModel.defaultOperatorSetVersion
      var (model, lowering) = try keras.lowering(isTolerant: false, operatorSetVersion: version)
      let result = try KerasSidecar.attach(keras, to: &model, carried: lowering.carriedWeights)
      var notes = reasons
      notes.append(ConversionNote(.kept, "configuration", "the layers' configuration is kept in the metadata"))
      if keras.trainingConfiguration != nil {
        notes.append(
          ConversionNote(
            .kept, "training configuration", "loss, metrics and optimizer settings are kept in the metadata"))
      }
      let optimizerCount = keras.optimizer?.variables.count ?? 0
      if optimizerCount > 0 {
        notes.append(ConversionNote(.kept, "optimizer", "\(optimizerCount) variables are kept beside the graph"))
      }
      if result.beside > optimizerCount {
        notes.append(
          ConversionNote(
            .kept, "weights",
            "\(result.beside - optimizerCount) variables that the graph does not use are kept beside it"))
      }
      for path in result.unreadable { notes.append(ConversionNote(.dropped, path, "it cannot be read")) }
      return (model, notes)
    } catch {
      throw error.inFile(keras.path)
    }
  }

  /// Makes a Keras model of an ONNX model: the one it was made from when its sidecar still fits, else one of new layers.
  ///
  /// - Parameter layout: decides the generation of Keras that new layers are for.
  /// - Throws: `FormatError` that names the first node without a layer.
  public func keras(
    from model: Model, layout: KerasModel.Layout, path: String
  ) throws(FormatError) -> (model: KerasModel, notes: [ConversionNote]) {
    var notes: [ConversionNote] = []
    switch KerasSidecar.read(model, path: path) {
    case .intact(let keras):
      return (
        keras,
        [ConversionNote(.restored, "Keras model", "configuration, names and training state are those of the original")]
      )
    case .outdated(let reason):
      notes.append(ConversionNote(.changed, "Keras model", "\(reason); its layers are made anew from the graph"))
    case .none: break
    }
    do throws(FormatError) {
      var raised = try KerasModel.raised(from: model, layout: layout, path: path)
      notes += try carry(model, in: &raised.model)
      return (raised.model, notes + raised.notes)
    } catch {
      throw error.inFile(path)
    }
  }
}
