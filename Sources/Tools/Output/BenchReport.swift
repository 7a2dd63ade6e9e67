import NNEngine
import NNFormat
import OrderedCollections

/// What `bench` has measured, and its JSON form.
struct BenchReport {
  /// A network at one batch size on so many threads.
  struct Result {
    let batch: Int
    let threads: Int
    /// What the weights of dense layers are kept in: `float32` or `bfloat16`.
    let precision: String
    let isPinned: Bool
    let statistics: TimingStatistics
    /// Operations, and bytes read and written, of one run.
    let operations: Double
    let byteCount: Int
    /// The steps, when they were asked for.
    var steps: [StepProfile] = []

    var rowsPerSecond: Double { Double(batch) / statistics.median * 1e6 }
    var gflops: Double { operations / statistics.median / 1000 }
    var gigabytesPerSecond: Double { Double(byteCount) / statistics.median / 1000 }
    var figure: BenchmarkFigure {
      .network(batch: batch, threads: threads, precision: precision, median: statistics.median)
    }
  }

  /// Milliseconds of what happens once.
  struct ColdStart {
    let load: Double
    let plan: Double
    let first: Double
  }

  /// The comparison with an earlier run.
  struct Baseline {
    let path: String
    let tolerance: Double
    let comparisons: [BenchmarkBaseline.Comparison]
    var isMissed: Bool { comparisons.contains { $0.isSlower } }
  }

  let machine: Machine
  var model: String?
  var inputs: [(name: String, type: ElementType, shape: [Int])] = []
  var seed: UInt64 = 1
  var results: [Result] = []
  var cold: ColdStart?
  var peakByteCount = 0
  var ceilings: Ceilings?
  /// Whether the ceilings were asked for by themselves.
  var showsCeilings = false
  var gemm: (benchmark: GemmBenchmark, results: [GemmBenchmark.Result])?
  var baseline: Baseline?

  init(machine: Machine) { self.machine = machine }

  /// Everything that a baseline may hold.
  var figures: [BenchmarkFigure] {
    results.map(\.figure)
      + (gemm.map { gemm in
        gemm.results.map {
          .kernel(
            $0.kernel, rows: gemm.benchmark.rows, depth: gemm.benchmark.depth, columns: gemm.benchmark.columns,
            threads: $0.threads, median: $0.statistics.median)
        }
      } ?? [])
  }

  /// The limit of a step in the run it is part of.
  func bound(_ step: StepProfile, in result: Result) -> StepBound? {
    ceilings.map { StepBound(step, workingSet: result.byteCount, threads: result.threads, $0) }
  }
}

extension BenchReport {
  /// The whole as `nnfmt.bench/1`.
  var json: JSONValue {
    var members: OrderedDictionary<String, JSONValue> = ["schema": "nnfmt.bench/1"]
    if let model { members["model"] = .string(model) }
    members["machine"] = machineJSON
    if model != nil {
      members["seed"] = .number(String(seed))
      members["inputs"] = .array(
        inputs.map { name, type, shape in
          ["name": .string(name), "elementType": .string(type.name), "shape": .array(shape.map { .int($0) })]
        })
      members["results"] = .array(resultRows)
      if let cold {
        members["cold"] = [
          "load_ms": .figure(cold.load), "plan_ms": .figure(cold.plan), "first_ms": .figure(cold.first),
        ]
      }
      members["peak_bytes"] = .int(peakByteCount)
      if !stepRows.isEmpty { members["steps"] = .array(stepRows) }
    }
    if let ceilings { members["ceilings"] = .array(ceilings.rows.map(\.json)) }
    if let gemm {
      members["gemm"] = [
        "rows": .int(gemm.benchmark.rows), "depth": .int(gemm.benchmark.depth),
        "columns": .int(gemm.benchmark.columns), "kernels": .array(kernelRows),
      ]
    }
    if let baseline { members["baseline"] = baseline.json }
    return .object(members)
  }

  var resultRows: [JSONValue] {
    results.map { result in
      var row: OrderedDictionary<String, JSONValue> = [
        "batch": .int(result.batch), "threads": .int(result.threads), "precision": .string(result.precision),
      ]
      row.merge(result.statistics.members) { $1 }
      row["rows_per_s"] = .figure(result.rowsPerSecond)
      row["gflops"] = .figure(result.gflops)
      row["gb_per_s"] = .figure(result.gigabytesPerSecond)
      row["runs"] = .int(result.statistics.count)
      row["pinned"] = .bool(result.isPinned)
      return .object(row)
    }
  }

  var stepRows: [JSONValue] {
    results.flatMap { result in
      let total = result.steps.reduce(0) { $0 + $1.median }
      return result.steps.map { step -> JSONValue in
        let bound = bound(step, in: result)
        return [
          "name": .string(step.description.name), "operator": .string(step.description.operatorType),
          "kernel": .string(step.description.kernel), "median_us": .figure(step.median),
          "share": .figure(total > 0 ? step.median / total : 0), "gflops": .figure(step.gflops),
          "gb_per_s": .figure(step.gigabytesPerSecond), "bound": bound.map { .string($0.kind.rawValue) } ?? .null,
          "bound_share": bound.map { .figure($0.share) } ?? .null, "batch": .int(result.batch),
          "threads": .int(result.threads), "operations": .figure(step.operations), "bytes": .int(step.byteCount),
        ]
      }
    }
  }

  var kernelRows: [JSONValue] {
    (gemm?.results ?? []).map { result in
      var row: OrderedDictionary<String, JSONValue> = [
        "kernel": .string(result.kernel), "instruction_set": .string(result.instructionSet.rawValue),
        "path": result.streams ? "stream" : "tile", "threads": .int(result.threads),
      ]
      row.merge(result.statistics.members) { $1 }
      row["gflops"] = .figure(result.gflops)
      row["gb_per_s"] = .figure(result.gigabytesPerSecond)
      row["runs"] = .int(result.statistics.count)
      row["chosen"] = .bool(result.isChosen)
      return .object(row)
    }
  }

  private var machineJSON: JSONValue {
    [
      "cpu": .string(machine.processor), "cores": .int(machine.cores),
      "instruction_sets": .array(machine.instructionSets.map { .string($0.rawValue) }),
      "instruction_set": .string(machine.chosen.rawValue), "memory_bytes": .int(machine.memoryByteCount),
      "caches": .array(
        machine.caches.map {
          ["level": .int($0.level), "bytes": .int($0.byteCount), "cores": .int($0.sharing)]
        }), "os": .string(machine.system), "kernel": .string(machine.kernel),
      "governor": machine.governor.map { .string($0) } ?? .null, "load": machine.load.map { .double($0) } ?? .null,
      "nnfmt": .string(nnfmtVersion),
    ]
  }
}

extension BenchReport.Baseline {
  fileprivate var json: JSONValue {
    [
      "file": .string(path), "tolerance": .double(tolerance), "slower": .bool(isMissed),
      "comparisons": .array(
        comparisons.map {
          [
            "name": .string($0.name), "baseline_us": .figure($0.baseline), "median_us": .figure($0.median),
            "ratio": .figure($0.ratio), "slower": .bool($0.isSlower),
          ]
        }),
    ]
  }
}

extension TimingStatistics {
  fileprivate var members: OrderedDictionary<String, JSONValue> {
    [
      "median_us": .figure(median), "p90_us": .figure(p90), "p95_us": .figure(p95), "p99_us": .figure(p99),
      "mean_us": .figure(mean), "std_us": .figure(deviation), "min_us": .figure(minimum), "max_us": .figure(maximum),
    ]
  }
}

extension Ceilings.Row {
  /// The name of what is limited, and its unit.
  var texts: (name: String, unit: String) {
    switch limit {
    case .arithmetic(.int8, _): ("int8", "GOP/s")
    case .arithmetic(let quantity, _): (quantity.rawValue, "GFLOP/s")
    case .cache(let level): ("L\(level) read", "GB/s")
    case .memory: ("memory read", "GB/s")
    }
  }

  var json: JSONValue {
    [
      "limit": .string(texts.name), "kernel": .string(kernel), "threads": .int(threads), "value": .figure(value),
      "unit": .string(texts.unit),
    ]
  }
}

extension JSONValue {
  /// A measured figure, to three decimals.
  fileprivate static func figure(_ value: Double) -> JSONValue {
    abs(value) < 1e12 ? .double((value * 1000).rounded() / 1000) : .double(value)
  }
}
