/// The table of all operator schemas, found by name, domain and version.
public enum OperatorRegistry {
  /// The families, each a file of its own.
  static let families: [[OperatorSchema]] = [
    OperatorSchema.activations, OperatorSchema.arithmetic, OperatorSchema.attention, OperatorSchema.casting,
    OperatorSchema.comparison, OperatorSchema.constants, OperatorSchema.indexing, OperatorSchema.linearAlgebra,
    OperatorSchema.losses, OperatorSchema.normalization, OperatorSchema.pooling, OperatorSchema.quantization,
    OperatorSchema.contributedQuantization, OperatorSchema.contributed, OperatorSchema.machineLearning,
    OperatorSchema.reduction, OperatorSchema.shaping,
  ]

  private static let rows: [String: [OperatorSchema]] = {
    var rows: [String: [OperatorSchema]] = [:]
    for schema in families.joined() { rows["\(schema.domain):\(schema.name)", default: []].append(schema) }
    return rows.mapValues { $0.sorted { $0.sinceVersion > $1.sinceVersion } }
  }()

  /// The form of an operator that holds in a version of its operator set.
  ///
  /// - Returns: `nil` when the operator is unknown or younger than the version.
  public static func schema(_ name: String, domain: String = "", version: Int) -> OperatorSchema? {
    let domain = domain == "ai.onnx" ? "" : domain
    return rows["\(domain):\(name)"]?.first { $0.sinceVersion <= version }
  }

  /// The domains of which at least one operator is known.
  static let domains = Set(all.map(\.domain))

  /// Every schema, for reports and tests.
  public static var all: [OperatorSchema] { families.flatMap { $0 } }
}
