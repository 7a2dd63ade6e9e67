/// How long the steps of a resolution take, over any number of runs.
package struct StepTimes: Sendable {
  /// One entry for each step that runs, in order.
  package private(set) var samples: [TimingSamples]

  package init(_ resolution: Resolution) {
    samples = Array(repeating: TimingSamples(capacity: 1 << 12), count: resolution.steps.count)
  }

  @inline(__always) mutating func record(_ step: Int, _ nanoseconds: UInt64) { samples[step].record(nanoseconds) }
}
