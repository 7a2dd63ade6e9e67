extension Conversion {
  /// The ONNX model that layers were made from, when the Keras model carries it and is still the same.
  ///
  /// - Returns: no model, and the reasons for that, when it has to be made anew from the layers.
  func original(
    of keras: KerasModel
  ) throws(FormatError) -> (original: (model: Model, notes: [ConversionNote])?, reasons: [ConversionNote]) {
    func outdated(_ reason: String) -> [ConversionNote] {
      [ConversionNote(.changed, "ONNX model", "\(reason); it is made anew from the layers")]
    }
    switch ONNXSidecar.read(keras) {
    case .none: return (nil, [])
    case .outdated(let reason): return (nil, outdated(reason))
    case .intact(var model):
      var notes = [ConversionNote(.restored, "ONNX model", "nodes, names and metadata are those of the original")]
      if let operatorSetVersion {
        do throws(FormatError) {
          let moved = try model.moved(toOperatorSet: operatorSetVersion)
          model = moved.model
          notes += moved.notes
        } catch {
          guard KerasModel.operatorSetVersions.contains(operatorSetVersion) else { throw error }
          let place = error.place.map { "\($0): " } ?? ""
          return (
            nil,
            outdated("the original cannot be moved to operator set \(operatorSetVersion): \(place)\(error.message)")
          )
        }
      }
      for name in Self.outputs(of: model, missingIn: keras) {
        notes.append(ConversionNote(.restored, name, "is an output again"))
      }
      if keras.trainingConfiguration != nil || keras.optimizer != nil {
        notes.append(ConversionNote(.dropped, "training", "the original has no place for how the layers were trained"))
      }
      return ((model, notes), [])
    }
  }

  /// The outputs of a graph that the layers made of it do not give, such as the names of classes.
  package static func outputs(of model: Model, missingIn keras: KerasModel) -> [String] {
    guard let root = keras.root else { return [] }
    let references = try? CallParser.references(root.configuration["output_layers"], label: root.name)
    let given = Set((references ?? []).map(\.layer) + (root.isSequential ? root.sublayers.suffix(1).map(\.name) : []))
    let names = model.graph.outputs.map(\.name)
    return names.count > given.count ? names.filter { !given.contains(Raising.legalName($0)) } : []
  }

  /// Lets the layers that were made of an ONNX model carry it, where the layout has a place for that.
  ///
  /// - Returns: what is kept, or else dropped.
  func carry(_ model: Model, in keras: inout KerasModel) throws(FormatError) -> [ConversionNote] {
    var reason = "Keras has no place for it"
    if [.archive, .legacyModel].contains(keras.layout) {
      do throws(FormatError) {
        try ONNXSidecar.attach(model, to: &keras)
        return [ConversionNote(.kept, "ONNX model", "nodes, names and metadata are kept beside the layers")]
      } catch {
        guard error.kind == .limit else { throw error }
        reason = "what the weights do not hold of the model passes 2 GiB"
      }
    }
    var notes: [ConversionNote] = []
    let foreign = model.trainingInfo.filter { $0.algorithm?.name != KerasSidecar.graphName }
    if !foreign.isEmpty { notes.append(ConversionNote(.dropped, "training graphs", reason)) }
    for key in model.metadata.keys where !key.hasPrefix(KerasSidecar.prefix) {
      notes.append(ConversionNote(.dropped, "metadata \"\(key)\"", reason))
    }
    return notes
  }
}
