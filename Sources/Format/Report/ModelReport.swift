import OrderedCollections

/// What there is to say about a model file without running it: the content of `nnfmt inspect`.
public struct ModelReport: Sendable {
  /// An input or output of the network.
  public struct ValueRow: Sendable {
    /// The full name.
    public var name: String
    /// The type of the elements, as far as it is known.
    public var elementType: ElementType?
    /// The shape, as far as it is known.
    public var shape: Shape?
  }

  /// A layer, or a node of an ONNX graph.
  public struct LayerRow: Sendable {
    /// The full name.
    public var name: String
    /// The class of the layer, or the operator.
    public var type: String
    /// The shape of the (first) output, as far as it is known.
    public var outputShape: Shape?
    /// Numbers in the tensors of the layer and of those inside of it.
    public var parameters: Int
    /// Whether training changes the layer.
    public var isTrainable: Bool
    /// The activation by name.
    public var activation: String?
    /// How many models or functions are around it.
    public var depth: Int
    /// The names of the layer's tensors in the report.
    public var tensors: [String]
    /// The layer's arguments, for Keras files.
    public var configuration: JSONValue?
    /// The values that the layer takes, by the names of the layers or inputs that make them.
    public var inputs: [String]
    /// How the layer's weights are stored, when it has a matrix of them.
    public var precision: LayerPrecision?
  }

  /// A stored tensor of the network.
  public struct TensorRow: Sendable {
    /// The full name.
    public var name: String
    /// The type of the elements, as far as it is known.
    public var elementType: ElementType
    /// The shape, as far as it is known.
    public var shape: [Int]
    /// Bytes of the elements.
    public var bytes: Int
    /// Where in the file.
    public var place: String
    /// The spread of the elements, when it was asked for.
    public var statistics: TensorStatistics?
  }

  /// How many numbers the network has learnt.
  public struct ParameterCounts: Sendable {
    /// All numbers.
    public var total = 0
    /// Numbers that training changes.
    public var trainable = 0
    /// Bytes of the elements.
    public var bytes = 0
    /// Numbers that training leaves as they are.
    public var nonTrainable: Int { total - trainable }
  }

  /// How the model was compiled.
  public struct Training: Sendable {
    /// The optimizer by class.
    public var optimizer: String?
    /// The loss by name.
    public var loss: String?
    /// The metrics by name.
    public var metrics: [String]
    /// Stored variables of the optimizer.
    public var optimizerVariables: Int
  }

  /// Where the file lies.
  public var path: String
  /// Size of the file, or of the files in a folder.
  public var fileBytes: Int
  /// The layout in words.
  public var format: String
  /// The version that the file states.
  public var version: String?
  /// What wrote the file.
  public var producer: String?
  /// The full name.
  public var name: String?
  /// What the network takes.
  public var inputs: [ValueRow] = []
  /// What the network gives.
  public var outputs: [ValueRow] = []
  /// The layers or nodes in file order, parents before what is inside of them.
  public var layers: [LayerRow] = []
  /// Numbers in the tensors of the layer and of those inside of it.
  public var parameters = ParameterCounts()
  /// The stored tensors.
  public var tensors: [TensorRow] = []
  /// How the model was compiled, when it was.
  public var training: Training?
  /// Entries of the file for programs and people.
  public var metadata: OrderedDictionary<String, String> = [:]
  /// What the user of the file should know.
  public var findings: [Finding] = []

  /// Describes a file.
  ///
  /// - Parameter withStatistics: whether to read every weight for its range, mean and damaged values.
  public init(_ file: ModelFile, withStatistics: Bool = false) {
    path = file.path
    fileBytes = FileSystem.byteCount(ofFileAt: file.path)
    switch file.content {
    case .keras(let model):
      format = model.layout.rawValue
      describe(model)
    case .onnx(let model):
      format = "ONNX"
      describe(model)
    }
    if withStatistics { addStatistics(of: file) }
  }

  /// The index of a layer by its full name, or by the last part of it when only one layer has that.
  public func layer(named name: String) -> LayerRow? {
    if let exact = layers.first(where: { $0.name == name }) { return exact }
    let endings = layers.filter { $0.name.hasSuffix("/\(name)") }
    return endings.count == 1 ? endings.first : nil
  }
}
