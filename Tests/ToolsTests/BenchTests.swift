import NNFormat
import TestSupport
import Testing

/// `nnfmt bench` as its users run it. No test asserts a speed.
@Suite struct BenchTests {
  private static let short = ["--duration", "0.01", "--warmup", "0"]

  private func bench(_ arguments: String...) throws -> Tool.Result { try Tool.run(["bench"] + arguments + Self.short) }

  private func json(_ arguments: String...) throws -> JSONValue {
    let result = try Tool.run(["bench"] + arguments + Self.short + ["--json"])
    #expect(result.status == 0 && result.error.isEmpty)
    return try JSONValue.parse(result.output)
  }

  @Test func sweepsOverBatchesAndThreads() throws {
    let json = try json(Fixtures.model("digits.keras"), "--batch", "16,1", "--threads", "1,2")
    #expect(json.object?.keys.first == "schema" && json["schema"]?.string == "nnfmt.bench/1")
    let results = json["results"]?.array ?? []
    #expect(results.compactMap { $0["batch"]?.int } == [16, 16, 1, 1])
    #expect(results.compactMap { $0["threads"]?.int } == [1, 2, 1, 2])
    let keys = [
      "batch", "threads", "precision", "median_us", "p90_us", "p95_us", "p99_us", "mean_us", "std_us", "min_us",
      "max_us", "rows_per_s", "gflops", "gb_per_s",
    ]
    for result in results {
      #expect(result.object.map { Array($0.keys.prefix(keys.count)) } == keys)
      let times = ["min_us", "median_us", "p90_us", "p95_us", "p99_us", "max_us"].compactMap { result[$0]?.double }
      #expect(times.count == 6 && times == times.sorted() && times[0] > 0)
      #expect(result["runs"]?.int ?? 0 >= 5)
    }
    for key in ["load_ms", "plan_ms", "first_ms"] { #expect(json["cold"]?[key]?.double ?? -1 >= 0) }
    #expect(json["peak_bytes"]?.int ?? 0 > 1 << 20)
    for key in ["cpu", "cores", "instruction_sets", "memory_bytes", "os"] { #expect(json["machine"]?[key] != nil) }
    #expect(json["inputs"]?[0]?["shape"]?.ints == [16, 8, 8])
    #expect(json["steps"] == nil && json["ceilings"] == nil)
  }

  @Test func profilesSteps() throws {
    let json = try json(Fixtures.model("digits.keras"), "--threads", "1", "--profile")
    let steps = json["steps"]?.array ?? []
    #expect(steps.contains { $0["operator"]?.string == "Dense+bias+relu" })
    let keys = ["name", "operator", "kernel", "median_us", "share", "gflops", "gb_per_s", "bound"]
    for step in steps {
      #expect(step.object.map { Array($0.keys.prefix(keys.count)) } == keys)
      #expect(["compute", "memory", "cache", "overhead"].contains(step["bound"]?.string))
    }
    #expect(abs(steps.reduce(0) { $0 + ($1["share"]?.double ?? 0) } - 1) < 0.01)
    #expect(json["ceilings"]?.array?.isEmpty == false)
  }

  @Test func measuresWeightsInBfloat16() throws {
    let json = try json(
      Fixtures.model("digits.keras"), "--threads", "1", "--profile", "--gemm", "2,30,40", "--precision", "bf16")
    #expect(json["results"]?[0]?["precision"]?.string == "bfloat16")
    #expect(json["steps"]?.array?.contains { $0["kernel"]?.string?.hasPrefix("gemm_bf16_") == true } == true)
    let kernels = json["gemm"]?["kernels"]?.array ?? []
    #expect(!kernels.isEmpty && kernels.allSatisfy { $0["kernel"]?.string?.hasPrefix("gemm_bf16_") == true })
    #expect(kernels.count { $0["chosen"]?.bool == true } == 1)
  }

  @Test func measuresTheMachine() throws {
    let json = try json("--ceilings", "--gemm", "3,70,40", "--threads", "1")
    let limits = Set((json["ceilings"]?.array ?? []).compactMap { $0["limit"]?.string })
    #expect(limits.isSuperset(of: ["float32", "memory read"]))
    #expect((json["ceilings"]?.array ?? []).allSatisfy { $0["value"]?.double ?? 0 > 0 })
    let kernels = json["gemm"]?["kernels"]?.array ?? []
    // One for floats, one for bytes.
    #expect(kernels.count { $0["chosen"]?.bool == true } == 2)
    #expect(kernels.contains { $0["kernel"]?.string?.hasPrefix("gemm_u8s8_") == true })
    #expect(kernels.contains { $0["instruction_set"]?.string == "scalar" })
    #expect(json["results"] == nil)
  }

  @Test func baselinesDecideTheStatus() throws {
    let folder = try TemporaryFolder()
    func baseline(_ median: String) throws -> String {
      try folder.write(
        """
        {"schema": "nnfmt.bench/1", "model": "digits.keras", "results": [
          {"batch": 2, "threads": 1, "precision": "float32", "median_us": \(median)}]}
        """, to: "baseline.json")
    }
    let model = Fixtures.model("digits.keras")
    let slow = try bench(model, "--batch", "2", "--threads", "1", "--baseline", baseline("0.0001"))
    #expect(slow.status == 1 && slow.output.contains("slower"))
    let fast = try bench(
      model, "--batch", "2,3", "--threads", "1", "--baseline", baseline("1e12"), "--tolerance", "0", "--json")
    #expect(fast.status == 0 && fast.error.contains("1 of the figures"))
    #expect(try JSONValue.parse(fast.output)["baseline"]?["comparisons"]?[0]?["slower"]?.bool == false)
    let other = try bench(model, "--threads", "1", "--baseline", baseline("1"))
    #expect(other.status == 2 && other.errorLines.count == 1 && other.output.isEmpty)
    let broken = try folder.write("{", to: "broken.json")
    #expect(try bench(model, "--baseline", broken).errorLines.count == 1)
  }

  @Test func printsTextMarkdownAndCSV() throws {
    let model = Fixtures.model("digits.keras")
    let text = try bench(model, "--threads", "1")
    #expect(text.status == 0 && text.output.contains("cold start: load ") && text.output.contains("GFLOP/s"))
    let markdown = try bench(model, "--threads", "1", "--markdown")
    #expect(markdown.output.contains("| Batch | Threads | Median |"))
    let csv = try bench(model, "--threads", "1", "--csv", "--gemm", "1,2,3")
    let lines = csv.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0].hasPrefix("batch,threads,precision,median_us,") && lines[1].hasPrefix("1,1,float32,"))
    #expect(lines[2].isEmpty && lines[3].hasPrefix("kernel,instruction_set,path,"))
  }

  @Test func anyNetworkCanBeMeasured() throws {
    for row in Fixtures.rows(.predict).filter({ $0.architecture == nil }).prefix(12) {
      let result = try bench(row.path, "--threads", "1", "--json")
      #expect(result.status == 0, "\(row): \(result.error)")
    }
  }

  @Test(arguments: [
    [], ["--profile"], ["m.h5", "--batch", "0"], ["m.h5", "--threads", "1,x"], ["--gemm", "1,2"],
    ["m.h5", "--duration", "0"],
    ["m.h5", "--json", "--csv"], ["m.h5", "--tolerance", "5"], ["m.h5", "--size", "N"], ["absent.h5"],
    ["--gemm", "1,4611686018427387904,4"],
  ]) func wrongUsageIsOneLine(_ arguments: [String]) throws {
    let result = try Tool.run(["bench"] + arguments)
    #expect(result.status == 2 && result.errorLines.count == 1 && result.output.isEmpty)
  }

  @Test func axesAreNamedInErrors() throws {
    let result = try bench(Fixtures.model("digits.keras"), "--size", "strange=3")
    #expect(result.status == 2 && result.error.contains("strange") && result.error.contains("batch"))
  }
}
