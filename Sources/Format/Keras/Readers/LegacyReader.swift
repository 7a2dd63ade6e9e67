import OrderedCollections

/// Reads the HDF5 layouts of Keras 0.3 to 2, and what Keras 3 still writes of them: groups named by layers.
struct LegacyReader {
  let limits: ReadLimits

  /// Whether a group lists layers: by `layer_names`, its split form, or Keras 0.3's count.
  static func holdsLayerNames(_ group: HDF5Group) -> Bool {
    ["layer_names", "layer_names0", "nb_layers"].contains { group.attributes[$0] != nil }
  }

  /// A file with `model_config` and `model_weights`.
  func wholeModel(_ root: HDF5Group, path: String) throws(FormatError) -> KerasModel {
    var model = KerasModel(path: path, layout: .legacyModel)
    model.kerasVersion = root.attributes["keras_version"]?.string
    model.backend = root.attributes["backend"]?.string
    if let text = root.attributes["model_config"]?.string {
      do throws(FormatError) {
        model.configuration = try json(text, at: "/@model_config", noting: &model.findings)
      } catch {
        throw FormatError(error.kind, error.message, file: path, at: "/@model_config, \(error.place ?? "")")
      }
    } else {
      model.findings.append(
        Finding(.warning, "no-architecture", "the file has no model_config: its layers are not described", at: "/"))
    }
    if let text = root.attributes["training_config"]?.string {
      do throws(FormatError) {
        model.trainingConfiguration = try json(text, at: "/@training_config", noting: &model.findings)
      } catch {
        model.findings.append(Finding(.warning, "unreadable-training", error.message, at: "/@training_config"))
      }
    }
    if let weights = root.group("model_weights") {
      model.kerasVersion = model.kerasVersion ?? weights.attributes["keras_version"]?.string
      model.backend = model.backend ?? weights.attributes["backend"]?.string
      readGroups(weights, into: &model)
    } else {
      model.findings.append(
        Finding(.error, "missing-weights", "the file has no group model_weights", at: model.weightsPlace))
    }
    if let optimizer = root.group("optimizer_weights") { model.optimizer = optimizerState(optimizer) }
    if let carried = root.children[ONNXSidecar.dataset] {
      let path = root.path(of: ONNXSidecar.dataset)
      model.onnxSidecar = ONNXSidecar(.stored(HDF5Group.tensor(carried, at: path, limits: limits)))
    }
    return model
  }

  private func json(
    _ text: String, at place: String, noting findings: inout [Finding]
  ) throws(FormatError) -> JSONValue {
    let region = ByteRegion(AlignedBytes(copying: Array(text.utf8)), name: place)
    return try JSONValue.parse(region, limits: limits, at: place, noting: &findings)
  }

  /// A file of weights alone.
  func weightsOnly(_ root: HDF5Group, path: String) -> KerasModel {
    var model = KerasModel(path: path, layout: .legacyWeights)
    model.kerasVersion = root.attributes["keras_version"]?.string
    model.backend = root.attributes["backend"]?.string
    readGroups(root, into: &model)
    return model
  }

  private func readGroups(_ group: HDF5Group, into model: inout KerasModel) {
    let names = Self.nameList("layer_names", of: group) ?? countedNames("layer_", "nb_layers", of: group)
    for name in names ?? Array(group.children.keys) where name != "top_level_model_weights" {
      if let layer = layerGroup(name, in: group) {
        model.weightGroups.append(layerWeights(name, layer))
      } else {
        model.findings.append(
          Finding(.error, "missing-group", "layer_names lists \"\(name)\", but there is no such group", at: group.path))
        model.weightGroups.append(KerasWeightGroup(name: name, path: group.path(of: name), weights: []))
      }
    }
    if let topLevel = group.group("top_level_model_weights") {
      let weights = layerWeights("top_level_model_weights", topLevel)
      if !weights.weights.isEmpty { model.weightGroups.append(weights) }
    }
  }

  /// A layer's name may hold `/`, which makes it a path of groups.
  private func layerGroup(_ name: String, in group: HDF5Group) -> HDF5Group? {
    if case .group(let layer) = group.object(at: name) { layer } else { nil }
  }

  private func layerWeights(_ name: String, _ group: HDF5Group) -> KerasWeightGroup {
    let names = Self.nameList("weight_names", of: group) ?? countedNames("param_", "nb_params", of: group)
    let weights = (names ?? Self.datasetPaths(below: group)).map { weight($0, in: group) }
    return KerasWeightGroup(name: name, path: group.path, weights: weights)
  }

  private func optimizerState(_ group: HDF5Group) -> KerasOptimizerState? {
    let names = Self.nameList("weight_names", of: group) ?? Self.datasetPaths(below: group)
    guard !names.isEmpty else { return nil }
    let name = names[0].split(separator: "/").first.map(String.init) ?? "optimizer"
    return KerasOptimizerState(name: name, variables: names.map { weight($0, in: group) })
  }

  private func weight(_ name: String, in group: HDF5Group) -> KerasWeight {
    let path = group.path(of: name)
    return KerasWeight(
      name: name, path: path, value: HDF5Group.tensor(group.object(at: name), at: path, limits: limits))
  }

  /// A list of names in one attribute, or split over `name0`, `name1` ... where it would pass the 64 KiB of a header.
  static func nameList(_ name: String, of group: HDF5Group) -> [String]? {
    if let names = group.attributes[name]?.strings { return names }
    var names: [String] = []
    var part = 0
    while let more = group.attributes["\(name)\(part)"]?.strings {
      names += more
      part += 1
    }
    return part > 0 ? names : nil
  }

  /// Keras 0.3's `layer_0` ... `layer_{n-1}` with a count.
  private func countedNames(_ prefix: String, _ count: String, of group: HDF5Group) -> [String]? {
    guard let count = group.attributes[count]?.int, count >= 0, count <= group.children.count else { return nil }
    return (0..<count).map { "\(prefix)\($0)" }
  }

  private static func datasetPaths(below group: HDF5Group, prefix: String = "") -> [String] {
    group.children.flatMap { name, object in
      switch object {
      case .group(let child): datasetPaths(below: child, prefix: "\(prefix)\(name)/")
      case .dataset, .softLink, .externalLink: ["\(prefix)\(name)"]
      case .other: [String]()
      }
    }
  }
}

extension HDF5Group {
  /// The tensor of an object, or why there is none. Links are refused, never followed.
  static func tensor(_ object: HDF5Object?, at path: String, limits: ReadLimits) -> Result<Tensor, FormatError> {
    switch object {
    case .dataset(let dataset):
      Result { () throws(FormatError) in try dataset.tensor(limits: limits) }
    case .softLink(let target):
      .failure(FormatError(.refused, "the weight is a link to \"\(target)\"; links are not followed", at: path))
    case .externalLink(let target):
      .failure(
        FormatError(.refused, "the weight is a link into the file \"\(target)\"; links are not followed", at: path))
    case .group: .failure(FormatError(.malformed, "a dataset was expected, but there is a group", at: path))
    case .other(let description):
      .failure(FormatError(.malformed, "a dataset was expected, but there is \(description)", at: path))
    case nil: .failure(FormatError(.missing, "the dataset is missing", at: path))
    }
  }
}
