import TestSupport
import Testing

@Suite struct AllocationTests {
  /// What `AllocationProbe` counts, by `network threads batch` or `control network`.
  private func counts() throws -> [String: Int] {
    let result = try Tool.run([], program: "AllocationProbe")
    try #require(result.status == 0, "\(result.error)")
    var counts: [String: Int] = [:]
    for line in result.output.split(separator: "\n") {
      let parts = line.split(separator: ":")
      try #require(parts.count == 2, "\(line)")
      counts[String(parts[0])] = Int(parts[1].drop { $0 == " " })
    }
    return counts
  }

  @Test func predictionsAfterTheFirstAllocateNothing() throws {
    let counts = try counts()
    for network in ["flowers", "digits", "wide", "tiny"] {
      #expect(try #require(counts["control \(network)"]) > 0, "the probe counts nothing")
      for threads in [1, 2] {
        for batch in [1, 3, 16, 128] {
          #expect(counts["\(network) \(threads) \(batch)"] == 0, "\(network), batch \(batch), threads \(threads)")
        }
      }
    }
  }

  @Test func stepsOfTrainingAfterTheFirstAllocateNothing() throws {
    let counts = try counts()
    for network in ["flowers", "digits", "wide", "tiny"] {
      for threads in [1, 2] {
        for batch in [1, 3, 16, 128] {
          #expect(
            counts["train \(network) \(threads) \(batch)"] == 0, "\(network), batch \(batch), threads \(threads)")
        }
      }
    }
  }
}
