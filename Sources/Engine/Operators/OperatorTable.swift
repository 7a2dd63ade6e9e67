/// The table of all operators that run, found by name, domain and version.
package enum OperatorTable {
  /// The families, each a file of its own.
  package static let families: [[OperatorImplementation]] = [
    ActivationOperators.rows, ElementaryOperators.rows, ArithmeticOperators.rows, BitwiseOperators.rows,
    GatedOperators.rows, ContributedOperators.rows, FeatureOperators.rows, LabelEncoderOperators.rows,
    LinearModelOperators.rows, ComparisonOperators.rows, DropoutOperators.rows, MatrixOperators.rows,
    SoftmaxOperators.rows, NormalizationOperators.rows, ReductionOperators.rows, ArgOperators.rows,
    ShapeOperators.rows, LayoutOperators.rows, SliceOperators.rows, GatherOperators.rows, GeneratorOperators.rows,
    CastOperators.rows, EinsumOperators.rows, QuantizationOperators.rows, QuantisedMatMulOperators.rows,
    QuantisedElementwiseOperators.rows, ElementGatherOperators.rows, ScatterOperators.rows, PadOperators.rows,
    TopKOperators.rows, CumulativeOperators.rows, OneHotOperators.rows, TriangularOperators.rows,
    LossOperators.rows, SelectionOperators.rows, BlockOperators.rows, AttentionOperators.rows, PoolOperators.rows,
    UniqueOperators.rows, TensorScatterOperators.rows,
  ]

  private static let rows: [String: [OperatorImplementation]] = {
    var rows: [String: [OperatorImplementation]] = [:]
    for row in families.joined() { rows["\(row.domain):\(row.name)", default: []].append(row) }
    return rows.mapValues { $0.sorted { $0.sinceVersion > $1.sinceVersion } }
  }()

  /// The row that holds for an operator in a version of its operator set; `nil` when there is none.
  package static func row(_ name: String, domain: String, version: Int) -> OperatorImplementation? {
    let domain = domain == "ai.onnx" ? "" : domain
    return rows["\(domain):\(name)"]?.first { $0.sinceVersion <= version }
  }

  /// Every row, for reports and tests.
  package static var all: [OperatorImplementation] { families.flatMap { $0 } }
}
