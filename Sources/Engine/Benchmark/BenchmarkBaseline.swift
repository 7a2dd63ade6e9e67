import NNFormat

/// One figure of a benchmark, with what it was measured of.
package struct BenchmarkFigure: Sendable, Hashable {
  /// What was measured: figures of equal names are compared.
  package let name: String
  /// Microseconds.
  package let median: Double

  package init(name: String, median: Double) {
    self.name = name
    self.median = median
  }

  /// `1 thread`, `2 threads`.
  package static func text(_ threads: Int) -> String { threads == 1 ? "1 thread" : "\(threads) threads" }

  /// A network at a batch size.
  package static func network(batch: Int, threads: Int, precision: String, median: Double) -> BenchmarkFigure {
    BenchmarkFigure(name: "batch \(batch), \(text(threads)), \(precision)", median: median)
  }

  /// A kernel on one product.
  package static func kernel(
    _ kernel: String, rows: Int, depth: Int, columns: Int, threads: Int, median: Double
  ) -> BenchmarkFigure {
    BenchmarkFigure(name: "\(rows) x \(depth) x \(columns), \(kernel), \(text(threads))", median: median)
  }
}

/// The figures of an earlier benchmark, read from what `--json` printed.
package struct BenchmarkBaseline: Sendable {
  /// A figure beside the earlier one.
  package struct Comparison: Sendable, Hashable {
    package let name: String
    package let baseline: Double
    package let median: Double
    /// Whether it takes longer than the tolerance allows.
    package let isSlower: Bool

    /// The new time relative to the earlier one.
    package var ratio: Double { median / baseline }
  }

  package let figures: [BenchmarkFigure]
  /// The model and the processor that were measured, where the file names them.
  package let model: String?
  package let processor: String?
  package let cores: Int?

  /// - Throws: `FormatError` when the document is no benchmark, or its figures are no positive numbers.
  package init(_ document: JSONValue) throws(FormatError) {
    guard document["schema"]?.string == "nnfmt.bench/1" else {
      throw FormatError(
        .unsupported, "is no benchmark of the schema nnfmt.bench/1", advice: "Write one with nnfmt bench MODEL --json")
    }
    model = document["model"]?.string
    processor = document["machine"]?["cpu"]?.string
    cores = document["machine"]?["cores"]?.int
    var figures: [BenchmarkFigure] = []
    for (index, row) in (document["results"]?.array ?? []).enumerated() {
      guard let batch = row["batch"]?.int, let threads = row["threads"]?.int, let precision = row["precision"]?.string,
        let median = Self.time(row["median_us"])
      else { throw FormatError(.malformed, "its result \(index) has no batch, threads, precision and median_us") }
      figures.append(.network(batch: batch, threads: threads, precision: precision, median: median))
    }
    let gemm = document["gemm"]
    for (index, row) in (gemm?["kernels"]?.array ?? []).enumerated() {
      guard let rows = gemm?["rows"]?.int, let depth = gemm?["depth"]?.int, let columns = gemm?["columns"]?.int,
        let kernel = row["kernel"]?.string, let threads = row["threads"]?.int, let median = Self.time(row["median_us"])
      else { throw FormatError(.malformed, "its kernel \(index) has no kernel, threads and median_us") }
      figures.append(
        .kernel(kernel, rows: rows, depth: depth, columns: columns, threads: threads, median: median))
    }
    self.figures = figures
  }

  private static func time(_ value: JSONValue?) -> Double? {
    guard let time = value?.double, time > 0, time.isFinite else { return nil }
    return time
  }

  /// Sets figures beside those of the same name.
  ///
  /// - Parameter tolerance: per cent by which a median may be longer than the earlier one.
  /// - Throws: `FormatError` of kind `mismatch` when the baseline has none of the figures.
  package func compare(_ measured: [BenchmarkFigure], tolerance: Double) throws(FormatError) -> [Comparison] {
    let known = Dictionary(figures.map { ($0.name, $0.median) }, uniquingKeysWith: { first, _ in first })
    let comparisons = measured.compactMap { figure in
      known[figure.name].map { baseline in
        Comparison(
          name: figure.name, baseline: baseline, median: figure.median,
          isSlower: figure.median > baseline * (1 + tolerance / 100))
      }
    }
    guard !comparisons.isEmpty else {
      throw FormatError(
        .mismatch,
        "holds nothing that was measured now (\(measured.map(\.name).joined(separator: "; ")))",
        advice: "Measure with the same --batch, --threads and --gemm as the baseline")
    }
    return comparisons
  }
}
