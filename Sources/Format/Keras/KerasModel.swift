import OrderedCollections

/// The image of a Keras file: configuration, layers with their weights, training state, and what was not understood.
public struct KerasModel: Sendable {
  /// How the file is laid out.
  public enum Layout: String, Sendable {
    /// A whole model in HDF5, as Keras 1 and 2 write it and Keras 3 still can.
    case legacyModel = "Keras HDF5 model"
    /// Weights in HDF5 by layer name, as `save_weights` wrote them before Keras 3.
    case legacyWeights = "Keras HDF5 weights"
    /// Keras 3's `.weights.h5`.
    case weights = "Keras 3 weights"
    /// Keras 3's `.weights.json` with several `.weights.h5` files.
    case shardedWeights = "Keras 3 sharded weights"
    /// A `.keras` archive.
    case archive = "Keras archive"
    /// The members of a `.keras` archive in a folder.
    case folder = "Keras folder"
    /// The JSON of `model.to_json()` or an archive's `config.json`: layers without weights.
    case configuration = "Keras configuration"
    /// Tensors by name in a safetensors file.
    case safetensors
    /// Arrays by name in a `.npz`.
    case arrays = "NumPy archive"
  }

  /// Where the file lies.
  public var path: String
  /// How the file is laid out.
  public var layout: Layout
  /// The version that wrote the file, where it says so.
  public var kerasVersion: String?
  /// The backend that Keras ran on, where the file says so.
  public var backend: String?
  /// The model's configuration as it stands in the file; `nil` for weights-only files.
  public var configuration: JSONValue?
  /// `training_config` of HDF5 files, `compile_config` of archives.
  public var trainingConfiguration: JSONValue?
  /// An archive's `metadata.json`.
  public var metadata: JSONValue?
  /// The layer tree; the model itself is its root. `nil` without a configuration.
  public var root: KerasLayer?
  /// The weights as the file groups them, before they are bound to layers.
  public var weightGroups: [KerasWeightGroup]
  /// The optimizer's variables, when the file holds any.
  public var optimizer: KerasOptimizerState?
  /// What the user of the file should know.
  public var findings: [Finding]
  /// The ONNX model that the layers were made from, when the file carries it.
  package var onnxSidecar: ONNXSidecar?
  /// The weights of a Keras 3 layout as a tree.
  var weightTree: WeightTree?
  /// The archive that the file is.
  var archive: ZipArchive?
  /// The file's content as it was read.
  package var preserved: PreservedContent?

  /// A model without content.
  package init(path: String, layout: Layout) {
    self.path = path
    self.layout = layout
    weightGroups = []
    findings = []
  }

  /// Which generation of Keras defines the meaning of the configuration: 1, 2 or 3.
  public var generation: Int {
    if let kerasVersion, let major = Int(kerasVersion.prefix { $0.isNumber }) { return max(1, min(major, 3)) }
    // Only Keras 3 names the module of a class inside a configuration.
    return configuration?["module"] == nil ? 2 : 3
  }

  /// Every weight of the file once, in file order.
  public var weights: [KerasWeight] { weightGroups.flatMap(\.weights) }
}

/// The weights that a file stores together: those of one layer, mostly.
public struct KerasWeightGroup: Sendable {
  /// The layer's name as far as the file says it, else the name of the group.
  public var name: String
  /// Where the group stands in the file.
  public var path: String
  /// The group's variables in file order.
  public var weights: [KerasWeight]

  package init(name: String, path: String, weights: [KerasWeight]) {
    self.name = name
    self.path = path
    self.weights = weights
  }
}

/// One stored variable.
public struct KerasWeight: Sendable {
  /// The name that the file gives it: `dense/kernel:0`, or the index in a `.weights.h5` group.
  public var name: String
  /// Where it stands in the file.
  public var path: String
  /// Its elements, or why they cannot be had.
  public var value: Result<Tensor, FormatError>

  package init(name: String, path: String, value: Result<Tensor, FormatError>) {
    self.name = name
    self.path = path
    self.value = value
  }

  /// The elements.
  public func tensor() throws(FormatError) -> Tensor { try value.get() }

  /// Whether tf.keras keeps it for a metric; it is no part of the model.
  var isOfMetric: Bool { path.hasPrefix("/metrics/") }

  /// The type of the elements, when they can be had.
  var elementType: ElementType? { try? value.get().elementType }
}

/// The variables of the optimizer a model was trained with.
public struct KerasOptimizerState: Sendable {
  /// The optimizer's name where the file says it, such as `adam`.
  public var name: String
  /// The variables in file order.
  public var variables: [KerasWeight]
}
