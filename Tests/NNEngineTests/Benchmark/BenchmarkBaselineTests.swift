import NNEngine
import NNFormat
import Testing

@Suite struct BenchmarkBaselineTests {
  private func baseline(_ text: String) throws -> BenchmarkBaseline { try BenchmarkBaseline(JSONValue.parse(text)) }

  private let document = """
    {"schema": "nnfmt.bench/1", "model": "m.onnx", "machine": {"cpu": "C", "cores": 2}, "results": [
      {"batch": 1, "threads": 2, "precision": "float32", "median_us": 100},
      {"batch": 16, "threads": 2, "precision": "float32", "median_us": 200.5}],
     "gemm": {"rows": 1, "depth": 2, "columns": 3, "kernels": [{"kernel": "k", "threads": 1, "median_us": 5}]}}
    """

  @Test func figuresAreComparedByWhatWasMeasured() throws {
    let baseline = try baseline(document)
    #expect(baseline.model == "m.onnx" && baseline.processor == "C" && baseline.cores == 2)
    let measured: [BenchmarkFigure] = [
      .network(batch: 1, threads: 2, precision: "float32", median: 105),
      .network(batch: 1, threads: 1, precision: "float32", median: 1),
      .network(batch: 16, threads: 2, precision: "float32", median: 300),
      .kernel("k", rows: 1, depth: 2, columns: 3, threads: 1, median: 4),
    ]
    let comparisons = try baseline.compare(measured, tolerance: 5)
    #expect(comparisons.map(\.isSlower) == [false, true, false])
    #expect(comparisons.map(\.median) == [105, 300, 4] && comparisons[2].ratio == 0.8)
  }

  @Test(arguments: [(104.0, 5.0, false), (105.1, 5, true), (100, 0, false), (100.01, 0, true), (40, 0, false)])
  func slowerIsBeyondTheTolerance(_ median: Double, _ tolerance: Double, _ isSlower: Bool) throws {
    let figure = BenchmarkFigure.network(batch: 1, threads: 2, precision: "float32", median: median)
    #expect(try baseline(document).compare([figure], tolerance: tolerance)[0].isSlower == isSlower)
  }

  @Test func nothingInCommonIsAnError() throws {
    let figure = BenchmarkFigure.network(batch: 2, threads: 2, precision: "float32", median: 1)
    let error = #expect(throws: FormatError.self) { try baseline(document).compare([figure], tolerance: 5) }
    #expect(error?.kind == .mismatch)
  }

  @Test(arguments: [
    "{}", "[]", "{\"schema\": \"nnfmt.diff/1\"}", "{\"schema\": \"nnfmt.bench/1\", \"results\": [{\"batch\": 1}]}",
    "{\"schema\": \"nnfmt.bench/1\", \"results\": [{\"batch\": 1, \"threads\": 1, \"precision\": \"f\", \"median_us\": 0}]}",
    "{\"schema\": \"nnfmt.bench/1\", \"results\": [{\"batch\": 1, \"threads\": 1, \"precision\": \"f\", \"median_us\": NaN}]}",
    "{\"schema\": \"nnfmt.bench/1\", \"gemm\": {\"kernels\": [{\"kernel\": \"k\", \"threads\": 1, \"median_us\": 1}]}}",
  ]) func otherDocumentsAreRefused(_ text: String) {
    #expect(throws: FormatError.self) { try baseline(text) }
  }
}
