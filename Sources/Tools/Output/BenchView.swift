import NNEngine
import NNFormat

/// Shows a benchmark as text, Markdown or CSV.
struct BenchView {
  enum Form {
    case text
    case markdown
    case csv
  }

  let report: BenchReport

  func print(_ form: Form) {
    switch form {
    case .text: printTables { $0.lines() }
    case .markdown: printTables { $0.markdown() }
    case .csv: printCSV()
    }
  }

  private func printTables(_ lines: (Table) -> [String]) {
    printHead()
    if let model = report.model {
      Swift.print("\n\(model.onOneLine): \(inputText)")
      if let cold = report.cold {
        Swift.print(
          "cold start: load \(Figures.duration(cold.load * 1000)), plan \(Figures.duration(cold.plan * 1000)), "
            + "first run \(Figures.duration(cold.first * 1000)); peak memory \(Figures.bytes(report.peakByteCount))")
      }
      printTable(lines(resultTable))
    }
    for result in report.results where !result.steps.isEmpty {
      Swift.print("\nsteps of batch \(result.batch), \(BenchmarkFigure.text(result.threads)):")
      printTable(lines(stepTable(result)))
    }
    if report.showsCeilings, let ceilings = report.ceilings { printTable(lines(ceilingTable(ceilings))) }
    if let gemm = report.gemm {
      let benchmark = gemm.benchmark
      Swift.print(
        "\ngemm \(benchmark.rows) x \(benchmark.depth) x \(benchmark.columns), "
          + "\(Figures.short(benchmark.operations / 1e9)) GFLOP, \(Figures.bytes(Int(benchmark.byteCount)))")
      printTable(lines(kernelTable(gemm.results)))
    }
    if let baseline = report.baseline { printTable(lines(baselineTable(baseline))) }
  }

  private func printTable(_ lines: [String]) {
    Swift.print("")
    for line in lines { Swift.print(line) }
  }

  private func printHead() {
    let machine = report.machine
    let caches = machine.caches.map { "L\($0.level) \($0.byteCount >> 10) KiB" }.joined(separator: ", ")
    let parts = [
      [machine.processor, "\(machine.cores) cores", machine.chosen.rawValue, caches],
      [Figures.bytes(machine.memoryByteCount), machine.system, machine.kernel, "nnfmt \(nnfmtVersion)"],
    ]
    for line in parts { Swift.print(line.filter { !$0.isEmpty }.joined(separator: ", ").onOneLine) }
  }

  private var inputText: String {
    report.inputs.map { "\($0.name) \($0.type.name) \(Shape($0.shape))" }.joined(separator: ", ").onOneLine
  }

  private var resultTable: Table {
    // What a narrow terminal cuts stands last.
    var table = Table(
      ("Batch", .right), ("Threads", .right), ("Median", .right), ("Rows/s", .right), ("GFLOP/s", .right),
      ("GB/s", .right), ("p90", .right), ("p95", .right), ("p99", .right), ("Mean ± deviation", .right),
      ("Min", .right), ("Max", .right))
    for result in report.results {
      let statistics = result.statistics
      table.add(
        [
          String(result.batch), String(result.threads), Figures.duration(statistics.median),
          Figures.grouped(Figures.whole(result.rowsPerSecond)), Figures.short(result.gflops),
          Figures.short(result.gigabytesPerSecond), Figures.duration(statistics.p90),
          Figures.duration(statistics.p95), Figures.duration(statistics.p99),
          "\(Figures.duration(statistics.mean)) ± \(Figures.duration(statistics.deviation))",
          Figures.duration(statistics.minimum), Figures.duration(statistics.maximum),
        ])
    }
    return table
  }

  private func stepTable(_ result: BenchReport.Result) -> Table {
    var table = Table(
      ("Step", .left), ("ms", .right), ("Share", .right), ("GFLOP/s", .right), ("GB/s", .right), ("Limit", .left),
      ("Operator", .left), ("Kernel", .left))
    let total = result.steps.reduce(0) { $0 + $1.median }
    for step in result.steps {
      let bound = report.bound(step, in: result)
      table.add(
        [
          step.description.name, Figures.fixed(step.median / 1000, 4),
          "\(Figures.fixed(total > 0 ? 100 * step.median / total : 0, 1)) %",
          step.operations > 0 ? Figures.short(step.gflops) : "", Figures.short(step.gigabytesPerSecond),
          bound.map { "\($0.kind.rawValue) \(Figures.fixed(100 * $0.share, 0)) %" } ?? "",
          step.description.operatorType, step.description.kernel,
        ])
    }
    let rest = result.statistics.median - total
    if rest > 0 { table.add("between steps", Figures.fixed(rest / 1000, 4), "", "", "", "", "", "") }
    return table
  }

  private func ceilingTable(_ ceilings: Ceilings) -> Table {
    var table = Table(("Ceiling", .left), ("Kernel", .left), ("Threads", .right), ("Measured", .right), ("", .left))
    for row in ceilings.rows {
      table.add(row.texts.name, row.kernel, String(row.threads), Figures.fixed(row.value, 1), row.texts.unit)
    }
    return table
  }

  private func kernelTable(_ results: [GemmBenchmark.Result]) -> Table {
    var table = Table(
      ("Kernel", .left), ("Path", .left), ("Threads", .right), ("Median", .right), ("p90", .right), ("p99", .right),
      ("Min", .right), ("GFLOP/s", .right), ("GB/s", .right), ("", .left))
    for result in results {
      table.add(
        [
          result.kernel, result.streams ? "stream" : "tile", String(result.threads),
          Figures.duration(result.statistics.median), Figures.duration(result.statistics.p90),
          Figures.duration(result.statistics.p99), Figures.duration(result.statistics.minimum),
          Figures.short(result.gflops), Figures.short(result.gigabytesPerSecond), result.isChosen ? "chosen" : "",
        ])
    }
    return table
  }

  private func baselineTable(_ baseline: BenchReport.Baseline) -> Table {
    var table = Table(
      ("Compared with \(baseline.path)", .left), ("Before", .right), ("Now", .right), ("Ratio", .right), ("", .left))
    for comparison in baseline.comparisons {
      table.add(
        [
          comparison.name, Figures.duration(comparison.baseline), Figures.duration(comparison.median),
          Figures.fixed(comparison.ratio, 3), comparison.isSlower ? "slower" : "",
        ], color: comparison.isSlower ? .red : nil)
    }
    return table
  }

  /// The tables one after the other, an empty line between them.
  private func printCSV() {
    var tables: [[JSONValue]] = []
    if report.model != nil { tables.append(report.resultRows) }
    tables.append(report.stepRows)
    if report.showsCeilings, let ceilings = report.ceilings { tables.append(ceilings.rows.map(\.json)) }
    tables.append(report.kernelRows)
    for (index, rows) in tables.filter({ !$0.isEmpty }).enumerated() {
      if index > 0 { Swift.print("") }
      Swift.print((rows.first?.object?.keys.map { Self.cell(.string($0)) } ?? []).joined(separator: ","))
      for row in rows { Swift.print((row.object?.values.map(Self.cell) ?? []).joined(separator: ",")) }
    }
  }

  private static func cell(_ value: JSONValue) -> String {
    switch value {
    case .null: ""
    case .bool(let flag): flag ? "true" : "false"
    case .number(let text): text
    default:
      if let text = value.string?.onOneLine, text.contains(where: { ",\"".contains($0) }) {
        "\"" + text.replacing("\"", with: "\"\"") + "\""
      } else {
        value.string?.onOneLine ?? ""
      }
    }
  }
}
