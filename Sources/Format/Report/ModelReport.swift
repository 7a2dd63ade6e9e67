import OrderedCollections

/// What there is to say about a model file without running it: the content of `nnfmt inspect`.
public struct ModelReport: Sendable {
  /// An input or output of the network.
  public struct ValueRow: Sendable {
    public var name: String
    public var elementType: ElementType?
    public var shape: Shape?
  }

  /// A layer, or a node of an ONNX graph.
  public struct LayerRow: Sendable {
    public var name: String
    public var type: String
    public var outputShape: Shape?
    public var parameters: Int
    public var isTrainable: Bool
    public var activation: String?
    /// How many models or functions are around it.
    public var depth: Int
    /// The names of the layer's tensors in the report.
    public var tensors: [String]
    public var configuration: JSONValue?
    /// The values that the layer takes, by the names of the layers or inputs that make them.
    public var inputs: [String]
  }

  /// A stored tensor of the network.
  public struct TensorRow: Sendable {
    public var name: String
    public var elementType: ElementType
    public var shape: [Int]
    public var bytes: Int
    /// Where in the file.
    public var place: String
    public var statistics: TensorStatistics?
  }

  /// How many numbers the network has learnt.
  public struct ParameterCounts: Sendable {
    public var total = 0
    public var trainable = 0
    public var bytes = 0
    public var nonTrainable: Int { total - trainable }
  }

  /// How the model was compiled.
  public struct Training: Sendable {
    public var optimizer: String?
    public var loss: String?
    public var metrics: [String]
    /// Stored variables of the optimizer.
    public var optimizerVariables: Int
  }

  public var path: String
  public var fileBytes: Int
  public var format: String
  public var version: String?
  public var producer: String?
  public var name: String?
  public var inputs: [ValueRow] = []
  public var outputs: [ValueRow] = []
  public var layers: [LayerRow] = []
  public var parameters = ParameterCounts()
  public var tensors: [TensorRow] = []
  public var training: Training?
  public var metadata: OrderedDictionary<String, String> = [:]
  public var findings: [Finding] = []

  /// Describes a file.
  ///
  /// - Parameter withStatistics: whether to read every weight for its range, mean and damaged values.
  public init(_ file: ModelFile, withStatistics: Bool = false) {
    path = file.path
    fileBytes = Self.byteCount(ofFileAt: file.path)
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
